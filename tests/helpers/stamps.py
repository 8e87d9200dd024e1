"""Records as a run leaves them: with the languages that its model has seen in training."""

import json

from pyarrow import parquet

from src.store.records import SEEN


def stamp_seen(path, languages):
    """Stamp the languages on a parquet file of records; None is unknown."""
    content = parquet.read_table(path)
    stamped = (content.schema.metadata or {}) | {SEEN.encode(): json.dumps(languages).encode()}
    parquet.write_table(content.replace_schema_metadata(stamped), path)
    return path
