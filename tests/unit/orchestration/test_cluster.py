"""Clusters: every choice composes, a run lives in the same place, and what a job does with signals and errors."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode

from src.common.errors import ConfigError
from src.common.registry import CONF, choices
from src.config.checks import check
from src.config.compose import Composition
from src.config.directory import directory_of, run_directory
from src.orchestration.cluster import job, plugin, queue, record, snapshot, summary
from src.pipeline.plan import shipped_base
from src.store.directory import ERROR
from src.store.status import read
from tests.helpers.configs import FILES
from tests.helpers.paths import ROOT

plugin.register()
SITE = ("cluster.partition=gpu", "cluster.account=me")
ON_GPUS = ("slurm", "slurm_1gpu", "slurm_8gpu", "slurm_multinode")


@pytest.mark.parametrize("cluster", choices("cluster"))
@pytest.mark.parametrize(
    ("experiment", "scale"), [("adamame_grpo", "laptop"), ("grpo", "tiny"), ("base", "distill_7b")]
)
def test_every_cluster_composes_and_changes_no_other_setting(compose, cluster, experiment, scale):
    asked = SITE if cluster in ON_GPUS else ()
    own = (f"+experiment={experiment}", f"scale={scale}", *(FILES if scale == "distill_7b" else ()))
    mine = compose(*own, f"cluster={cluster}", *asked)
    check(mine)
    here = compose(*own)
    different = {name for name in vars(here) if getattr(mine, name) != getattr(here, name)}
    assert different <= {"cluster", "distributed"}
    if cluster in ON_GPUS:
        assert mine.distributed.processes == mine.cluster.nodes * mine.cluster.gpus
        assert mine.cluster.tasks in (1, mine.distributed.processes) and (
            mine.cluster.nodes == 1 or mine.cluster.tasks > 1
        )


@pytest.mark.parametrize("cluster", ON_GPUS)
def test_what_a_site_must_choose_is_named(compose, cluster):
    with pytest.raises(ConfigError, match=r"no value yet: cluster.account, cluster.partition\. Give each"):
        compose("+experiment=grpo", f"cluster={cluster}")
    compose("+experiment=grpo", f"cluster={cluster}", "cluster.account=null", "cluster.partition=null")


def test_a_job_that_would_be_signalled_before_it_begins_is_refused(compose):
    with pytest.raises(ConfigError, match=r"cluster.signal_s must be .* below the time of a job, 120 s"):
        check(compose("+experiment=grpo", "cluster.minutes=2", "cluster.signal_s=120"))


def test_a_run_lives_in_the_same_place_on_every_cluster():
    own = ["+experiment=grpo", "grpo.steps=3"]
    place = directory_of(own)
    assert place != directory_of(own[:1])
    assert directory_of([*own, "cluster=slurm_8gpu", *SITE, "cluster.minutes=9", "++hydra.launcher.qos=high"]) == place


def test_a_job_lives_where_the_command_of_its_run_does():
    """Hydra's sweeper writes overrides anew: `true` becomes `True`, spaces go."""
    written = ["+experiment=grpo", "seed=2", "pretrain.from_scratch=true", "stages=[sft, grpo]", "scale=tiny"]
    swept = ["+experiment=grpo", "seed=2", "pretrain.from_scratch=True", "stages=[sft,grpo]", "scale=tiny"]
    with initialize_config_dir(str(CONF), version_base="1.3"):
        loader = GlobalHydra.instance().config_loader()
        command = [*written, "cluster=slurm_cpu"]
        whole = loader.load_configuration("config", command, run_mode=RunMode.MULTIRUN)
        node = loader.load_sweep_config(whole, [*swept, "cluster=slurm_cpu"])
        directory = run_directory(Composition.without_hydra(node))
    assert directory == directory_of(written) != directory_of(written[:2])


def test_settings_become_options_of_sbatch(compose):
    launcher = pytest.importorskip("src.orchestration.cluster.launcher", exc_type=ImportError)
    more = (
        "cluster.modules=[cuda/12.8]",
        "cluster.setup=['source site.sh']",
        "cluster.cpus=null",
        "distributed.threads=3",
    )
    built = compose("+experiment=grpo", "cluster=slurm_1gpu", *SITE, *more)
    options = launcher.sbatch_options({"qos": "high", "gres": None, "max_num_timeout": 0}, [built], Path("/a b/code"))
    assert options["slurm_partition"] == "gpu" and options["slurm_account"] == "me" and options["slurm_qos"] == "high"
    assert options["gpus_per_node"] == 1 and options["cpus_per_task"] == 3 and options["timeout_min"] == 1440
    assert options["slurm_setup"][:2] == ["module load cuda/12.8", "source site.sh"]
    assert "export PYTHONPATH='/a b/code'${PYTHONPATH:+:$PYTHONPATH}" in options["slurm_setup"]
    assert not {"slurm_gres", "slurm_max_num_timeout", "mem_gb"} & options.keys()


@pytest.mark.parametrize(
    ("before", "message"),
    [
        ("sys.modules['submitit'] = sys.modules['hydra_plugins.hydra_submitit_launcher'] = None", "make setup-slurm"),
        ("import pytest; pytest.importorskip('submitit')", "needs SLURM's programs"),
    ],
)
def test_what_is_not_installed_is_told(tmp_path, before, message):
    code = f"import sys, runpy; {before}\nsys.argv[1:] = ['+experiment=grpo', 'cluster=slurm_cpu', 'root={tmp_path}/runs']\n"
    code += "runpy.run_module('src.run', run_name='__main__', alter_sys=True)"
    empty = os.environ | {"PATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=empty, capture_output=True, text=True)
    if "Skipped" in done.stderr:
        pytest.skip("submitit is not installed")
    assert done.returncode == 2 and message in done.stderr and "Traceback" not in done.stderr, done.stderr
    assert not list(tmp_path.glob("runs/laptop"))


def test_a_copy_of_the_code_is_made_once_and_is_complete(tmp_path):
    code = snapshot.snapshot(tmp_path)
    kept = {path.relative_to(code) for path in code.rglob("*") if path.is_file()}
    assert {Path("src/run.py"), Path("conf/config.yaml"), Path("COMMIT")} <= kept
    assert shipped_base("small").relative_to(ROOT) / "model.safetensors" in kept
    assert not any(path.suffix == ".pyc" for path in kept)
    (code / "src" / "run.py").write_text("kept")
    assert snapshot.snapshot(tmp_path) == code and (code / "src" / "run.py").read_text() == "kept"


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("echo 7_0 RUNNING; echo 7_1 PENDING; echo 7_2 PENDING", {"7_0": "RUNNING", "7_1": "PENDING"}),
        ("echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1", {}),
        ("echo 'Unable to contact slurm controller' >&2; exit 1", None),
    ],
)
def test_the_queue_is_asked_and_no_answer_is_not_the_end(tmp_path, monkeypatch, script, expected):
    (tmp_path / "squeue").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "squeue").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert queue.in_queue(["7_0", "7_1"]) == expected
    assert queue.in_queue([]) == {}


@pytest.fixture
def directory(tmp_path, monkeypatch):
    """A run directory as a submission leaves it."""
    monkeypatch.setenv("SLURM_JOB_ID", "5")
    monkeypatch.setattr(job, "GRACE_S", 0.0)
    for name in ("SLURM_PROCID", "SLURM_ARRAY_JOB_ID"):
        monkeypatch.delenv(name, raising=False)
    held = signal.getsignal(signal.SIGTERM)
    (tmp_path / "config.yaml").write_text("stages: [grpo]\n")
    record.write(tmp_path, record.Record(folder="somewhere"))
    yield tmp_path
    signal.signal(signal.SIGTERM, held)


def does(directory, code):
    return job.SlurmJob((), directory, command=("-c", code))


def test_a_job_records_how_it_goes(directory):
    assert read(directory).state == "queued"
    does(directory, "print('hello')")()
    assert record.read(directory) == record.Record("5", "done", 0, "somewhere")
    assert read(directory).state == "stopped" and (directory / "log.txt").read_text() == "hello\n"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import sys; sys.exit('error: the last line')", "error: the last line"),
        ("import os; os.kill(os.getpid(), 9)", "killed by SIGKILL"),
        ("open('{}', 'w').write('ConfigError: its own'); raise SystemExit(2)", "ConfigError: its own"),
    ],
)
def test_the_error_of_a_run_is_that_of_its_job(directory, code, message):
    with pytest.raises(job.JobFailed, match=message):
        does(directory, code.replace("{}", str(directory / ERROR)))()
    assert record.read(directory).state == "failed"
    assert read(directory).state == "failed" and message in read(directory).message


def test_a_run_that_slurm_ends_has_not_failed(directory):
    with pytest.raises(SystemExit):
        does(directory, "import os; os.kill(os.getpid(), 15)")()
    assert record.read(directory).state == "stopped" and not (directory / ERROR).exists()


def test_to_be_queued_again_a_run_is_killed_with_all_its_processes(directory):
    pytest.importorskip("submitit")
    pids = directory / "pids"
    child = f"import os, subprocess, time; p = subprocess.Popen(['sleep', '60']); open('{pids}', 'w').write(f'{{os.getpid()}} {{p.pid}} '); time.sleep(60)"
    mine = does(directory, child)
    kept = []

    def signalled(*_):  # as submitit does at SIGUSR2
        if not (pids.is_file() and pids.read_text().endswith(" ")):
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            return
        kept.append(mine.checkpoint())
        sys.exit(1)

    held = signal.signal(signal.SIGALRM, signalled)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    began = time.time()
    with pytest.raises(SystemExit):
        mine()
    signal.signal(signal.SIGALRM, held)
    assert time.time() - began < 20
    for pid in pids.read_text().split():
        assert not Path(f"/proc/{pid}").exists() or " Z " in Path(f"/proc/{pid}/stat").read_text()
    assert kept[0].function == does(directory, child)  # the same command, and no process to pickle
    assert record.read(directory) == record.Record("5", "queued", 1, "somewhere")
    assert read(directory).message == "job 5, queued again 1 time"


def test_of_several_tasks_the_first_tells(directory, monkeypatch):
    monkeypatch.setenv("SLURM_PROCID", "1")
    with pytest.raises(SystemExit) as ended:
        does(directory, "print('rank 1 was here')")()
    assert not ended.value.code
    assert record.read(directory).state == "queued"
    assert (directory / "rank1-log.txt").read_text() == "rank 1 was here\n"


def test_the_summary_has_results_and_errors(tmp_path, capsys):
    good, bad, gone = (tmp_path / "tiny" / name / "seed0" for name in ("a", "b", "c"))
    for path in (good, bad, gone):
        (path / "report").mkdir(parents=True)
        (path / "config.yaml").write_text("stages: [report]\n")
    (good / "report" / "done.json").write_text("{}")
    (good / "report" / "table.csv").write_text(
        "split,domain,method,metric,value,low,high\ntest,seen,a,accuracy,0.9,0,1\ntest,all,a,accuracy,0.5,0,1\n"
        "test,all,a,fidelity,0.25,0,1\n"
    )
    (bad / "error.txt").write_text("ConfigError: the rule, the value\nand the fix\n")
    rows = summary.rows({good: "3_0", bad: "3_1", gone: "3_2"})
    assert [row.state for row in rows] == ["finished", "failed", "stopped"]
    summary.show(rows, tmp_path)
    shown = capsys.readouterr().out
    assert "test: accuracy 0.500  fidelity 0.250\n" in shown and "1 finished, 1 failed, 1 stopped" in shown
    assert f"failed: {bad}\n  ConfigError: the rule, the value\n  and the fix\n" in shown
    assert json.loads((tmp_path / "summary.json").read_text())[1]["text"].startswith("ConfigError")


def test_every_task_is_a_rank(compose):
    wrong = compose("+experiment=grpo", "cluster=slurm_cpu", "cluster.tasks_per_node=2", "distributed.processes=1")
    with pytest.raises(
        ConfigError, match=r"cluster.nodes x cluster.tasks_per_node must be distributed.processes.*1 x 2 and 1"
    ):
        check(wrong)
