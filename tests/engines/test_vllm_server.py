"""A vLLM server samples from the weights that were last handed over."""

import os
import socket
import subprocess
import sys
import time

import pytest

pytest.importorskip("vllm", reason="vLLM is not installed; make test-engines installs it apart")

from src.models.load import policy_weights
from src.rollout.engines.base import Sampling
from src.rollout.engines.server import ServerEngine, ServerFailed
from src.rollout.spec import RolloutSpec, VllmSpec
from tests.helpers.vllm import END, OTHER_END, PROMPTS, STREAMS, apart, change, model


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    """An engine whose server runs the command that the engine itself names."""
    shared = tmp_path_factory.mktemp("shared")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    spec = RolloutSpec(
        engine="vllm",
        maximum_new_tokens=24,
        timeout_s=300,
        vllm=VllmSpec(160, 64, url=f"http://127.0.0.1:{port}", shared_folder=str(shared)),
    )
    made = ServerEngine(spec, model(), (END, OTHER_END))
    with pytest.raises(ServerFailed, match="does not answer.*start it with"):
        made.load(policy_weights(model()))
    _, _, _, folder, *flags = made.command.split()  # the CPU build has no command `vllm`
    command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", folder, *flags, "--enforce-eager"]
    environment = {  # not what other tests set for an engine in their own process
        "VLLM_SERVER_DEV_MODE": "1",
        "VLLM_CPU_KVCACHE_SPACE": "1",
        "VLLM_CPU_OMP_THREADS_BIND": "nobind",
        "VLLM_ENABLE_V1_MULTIPROCESSING": "1",
        "VLLM_NO_USAGE_STATS": "1",
        "VLLM_LOGGING_LEVEL": "INFO",
    }
    with (shared / "log").open("w") as log:
        server = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port)], env=os.environ | environment, stdout=log, stderr=log
        )
    try:
        deadline = time.monotonic() + 600
        while not answers(port):
            assert server.poll() is None and time.monotonic() < deadline, (shared / "log").read_text()[-3000:]
            time.sleep(0.5)
        yield made
    finally:
        server.terminate()
        server.wait(timeout=60)


def answers(port):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def test_a_server_samples_from_the_weights_that_were_handed_over(engine):
    made, sampling = model(), Sampling(24, temperature=0.9)
    for seed in (0, 5):
        change(made, seed)
        engine.load(policy_weights(made))
        groups = engine.generate(PROMPTS, STREAMS, 4, sampling)
        again = engine.generate(PROMPTS, STREAMS, 4, sampling)
        assert apart(made, groups, 0.9) < 1e-5 and apart(made, again, 0.9) < 1e-5
        assert [[row.tokens for row in group] for group in again] == [[row.tokens for row in group] for group in groups]
        (alone,) = engine.generate(PROMPTS[1:2], STREAMS[1:2], 4, sampling)
        assert [row.tokens for row in alone] == [row.tokens for row in groups[1]]


def test_what_the_server_refuses_is_told(engine):
    with pytest.raises(ServerFailed, match=r"/inference/v1/generate must answer with status 200; got 4"):
        engine.generate([[5] * 500], [1], 1, Sampling(24))
