"""The files that W&B writes on this machine, `<folder>/wandb/*run-*/run-<id>.wandb`: what they hold, and mending them.

They are logs in the format of LevelDB: 7 bytes, then blocks of 32 KiB of pieces, each with a checksum (4 bytes), a length
(2), a kind (1) and its content. W&B writes whole blocks, so that a machine or job that is killed leaves a log that is
torn, or holds nothing; `wandb sync` stops at either and sends nothing that comes after it.
"""

from __future__ import annotations

import shutil
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

START, BLOCK, HEAD = 7, 32_768, struct.Struct("<IHB")
WHOLE, LAST = 1, 4  # kinds of pieces that end a record


def records(path: Path) -> Iterator[tuple[Any, int]]:
    """The whole records of a log (protobuf messages of W&B), each with the place in bytes where it ends."""
    from wandb.proto import wandb_internal_pb2

    new: Any = vars(wandb_internal_pb2)["Record"]
    data, place, content = path.read_bytes(), START, b""
    while place + HEAD.size <= len(data):
        left = BLOCK - place % BLOCK
        if left < HEAD.size:  # padding at the end of a block
            place += left
            continue
        _, length, kind = HEAD.unpack_from(data, place)
        end = place + HEAD.size + length
        if kind == 0 or end > len(data):
            return
        content += data[place + HEAD.size : end]
        place = end
        if kind in (WHOLE, LAST):
            record = new()
            record.ParseFromString(content)
            content = b""
            yield record, end


def values(record: Any) -> dict[str, str]:
    """The JSON values of a line of history, by name; empty for any other record."""
    return {"/".join(item.nested_key) or item.key: item.value_json for item in record.history.item}


def logs(folder: Path, identity: str, offline: bool = True) -> list[Path]:
    """The logs of the run `identity` that processes working offline (or, if not `offline`, online) left in `folder`."""
    kind = "offline-run" if offline else "run"
    return sorted((folder / "wandb").glob(f"{kind}-*-{identity}*/run-{identity}.wandb"))


def last_steps(folder: Path, identity: str) -> dict[str, int]:
    """Stage -> its last step in the offline logs of a run."""
    found: dict[str, int] = {}
    for path in logs(folder, identity):
        for record, _ in records(path):
            for name, value in values(record).items():
                if name.endswith("/step"):
                    stage = name.removesuffix("/step")
                    found[stage] = max(found.get(stage, 0), int(float(value)))
    return found


def mend(folder: Path, identity: str) -> None:
    """Cut torn offline logs after their last whole record, and remove those that do not even say which run they are of.
    No process may be writing them."""
    for path in logs(folder, identity):
        whole = [(record.WhichOneof("record_type"), end) for record, end in records(path)]
        if "run" not in [kind for kind, _ in whole]:
            shutil.rmtree(path.parent)
        elif whole[-1][1] < path.stat().st_size:
            with path.open("r+b") as handle:
                handle.truncate(whole[-1][1])


def unsent(folder: Path) -> bool:
    """Whether `folder` holds offline logs that `wandb sync` has not sent."""
    found = (folder / "wandb").glob("offline-run-*/run-*.wandb")
    return any(not path.with_suffix(".wandb.synced").is_file() for path in found)
