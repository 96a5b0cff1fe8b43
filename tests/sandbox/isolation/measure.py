"""Run every probe, in jails and on a throw-away host without one, and print what held.

    python tests/sandbox/isolation/measure.py [containers]

prints, for each way of starting a jail that this user has, the probes contained of those tried, by group and by
severity, and the positive control: the same probes where nothing keeps them, most of which must succeed. With the
word it prints the same for containers of the backend "docker".
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from probing import files, hosts, network, privilege, processes, resources, secrets
from probing.probe import Probe
from probing.world import LIMITS, STAY, World, slug

from opencodeinterpreter.sandbox.base import IsolatedProcess, LaunchSpec
from opencodeinterpreter.sandbox.bubblewrap import BubblewrapBackend
from opencodeinterpreter.sandbox.docker import DockerBackend

PROBES: list[Probe] = [
    probe for module in (files, secrets, network, processes, resources, privilege) for probe in module.PROBES
]
_INSIDE = Path(__file__).with_name("probing") / "inside.py"
_PROGRAM = "/opt/probes/inside.py"
_TABLE = "/opt/probes/probes.json"
_SECONDS = 120

Runner = Callable[[World, Sequence[Probe], Path], dict[str, dict[str, object]]]


@dataclass(frozen=True)
class Verdict:
    """What one probe achieved."""

    flagged: bool
    outside: list[str]
    """What the world shows of it."""
    said: list[str]
    """What it says it got, as far as that counts."""
    error: str
    """What stopped it."""


def judge(run: Runner, probes: Sequence[Probe], decoy_host: bool) -> dict[str, Verdict]:
    """Run probes with ``run`` in a world of decoys, and judge first by the world, then by what they say."""
    with tempfile.TemporaryDirectory(prefix="probed-world-") as name:
        world = World(Path(name), decoy_host)
        workspace = world.sessions / "own"
        workspace.mkdir(mode=0o700)
        try:
            reports = run(world, probes, workspace)
            alarms = world.alarms(workspace)
        finally:
            world.close()
    known = {slug(probe.name) for probe in probes}
    assert set(alarms) <= known, f"alarms that no probe explains: {dict(alarms)}"
    return {probe.name: _verdict(probe, reports[slug(probe.name)], alarms, world.canary) for probe in probes}


def contained(probes: Sequence[Probe] = PROBES) -> dict[str, Verdict]:
    """Return the verdicts on probes in jails started by this user."""
    return judge(_run_contained, probes, decoy_host=False)


def in_containers(probes: Sequence[Probe] = PROBES) -> dict[str, Verdict]:
    """Return the verdicts on probes in containers started by this user."""
    return judge(_run_in_containers, probes, decoy_host=False)


def loosened(probes: Sequence[Probe] = PROBES) -> dict[str, Verdict]:
    """Return the verdicts on probes that nothing keeps; only on a throw-away host."""
    assert os.environ.get("PROBED_HOST_IS_A_DECOY") == "yes", "never on a real host"
    return judge(_run_loosened, [probe for probe in probes if not probe.alone], decoy_host=True)


def elsewhere(what: str, throwaway: bool = False) -> dict[str, Verdict]:
    """Return the verdicts of this program run as an ordinary user, on a throw-away host if asked for."""
    command = [sys.executable, "-B", str(Path(__file__)), what]
    if throwaway:
        command = [sys.executable, "-B", str(Path(__file__)), "throwaway", *command]
    with hosts.own_bubblewrap() as folder:
        text = hosts.run(hosts.as_ordinary_user(command), folder)
    return {name: Verdict(**verdict) for name, verdict in json.loads(text.splitlines()[-1]).items()}


def _verdict(probe: Probe, report: dict[str, object], alarms: dict[str, set[str]], canary: str) -> Verdict:
    broken = ("SyntaxError", "NameError", "AttributeError", "TypeError", "KeyError", "ImportError")
    assert not str(report["error"]).startswith(broken), f"the probe {probe.name!r} is broken: {report['error']}"
    outside = sorted(alarms.get(slug(probe.name), ()))
    said = [str(evidence) for evidence in report["got"]]  # type: ignore[attr-defined]
    if probe.secret:
        said = [evidence for evidence in said if canary in evidence]
    if probe.outside_only:
        said = []
    return Verdict(bool(outside or said), outside, [evidence[:300] for evidence in said], str(report["error"])[:300])


def _run_contained(world: World, probes: Sequence[Probe], workspace: Path) -> dict[str, dict[str, object]]:
    def launch(runtime: Path, batch: Sequence[Probe]) -> IsolatedProcess:
        spec = LaunchSpec(
            argv=[sys.executable, "-I", "-B", _PROGRAM, _TABLE, "/workspace/report.json"],
            workspace=workspace,
            runtime=runtime,
            env={"PATH": "/usr/bin:/bin", "HOME": "/tmp"},
            readable=[Path(sys.prefix), Path(sys.base_prefix)],
            files={_PROGRAM: _INSIDE.read_bytes(), _TABLE: _table(world.facts(), batch).encode()},
            limits=LIMITS,
        )
        return BubblewrapBackend().launch(spec)

    return _run_batches(world, probes, workspace, launch)


def _run_in_containers(world: World, probes: Sequence[Probe], workspace: Path) -> dict[str, dict[str, object]]:
    def launch(runtime: Path, batch: Sequence[Probe]) -> IsolatedProcess:
        facts = {
            **world.facts(),
            "stay": ["/usr/local/bin/python3", *STAY[1:]],
        }  # this machine's interpreter is not in there
        (runtime / "inside.py").write_bytes(_INSIDE.read_bytes())
        (runtime / "probes.json").write_text(_table(facts, batch))
        argv = ["python3", "-I", "-B", "/run/kernel/inside.py", "/run/kernel/probes.json", "/workspace/report.json"]
        env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/tmp"}
        return DockerBackend().launch(LaunchSpec(argv, workspace, runtime, env, limits=LIMITS))

    return _run_batches(world, probes, workspace, launch)


def _run_batches(
    world: World, probes: Sequence[Probe], workspace: Path, launch: Callable[[Path, Sequence[Probe]], IsolatedProcess]
) -> dict[str, dict[str, object]]:
    reports: dict[str, dict[str, object]] = {}
    batches = [[probe for probe in probes if not probe.alone], *([probe] for probe in probes if probe.alone)]
    for number, batch in enumerate(filter(None, batches)):
        runtime = world.folder / f"runtime{number}"
        runtime.mkdir(mode=0o700)
        report = workspace / "report.json"
        process = launch(runtime, batch)
        deadline = time.monotonic() + _SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        status = process.poll()
        process.kill()
        if report.exists():
            reports |= json.loads(report.read_text())
            report.unlink()
        if status != 0:
            missing = [slug(probe.name) for probe in batch if slug(probe.name) not in reports]
            assert all(probe.alone for probe in batch), f"{missing} not run: {status}, {process.output()}"
            reports |= {name: {"got": [], "error": "ended with all others inside"} for name in missing}
    return reports


def _run_loosened(world: World, probes: Sequence[Probe], workspace: Path) -> dict[str, dict[str, object]]:
    table, report = world.folder / "probes.json", workspace / "report.json"
    table.write_text(_table(world.facts(), probes))
    command = [sys.executable, "-I", "-B", str(_INSIDE), str(table), str(report)]
    process = subprocess.Popen(command, cwd=workspace, close_fds=False, stdin=subprocess.DEVNULL)
    assert process.wait(_SECONDS) == 0
    return dict(json.loads(report.read_text()))


def _table(facts: dict[str, object], probes: Sequence[Probe]) -> str:
    return json.dumps({"world": facts, "probes": [[slug(probe.name), probe.code] for probe in probes]})


def _print(title: str, verdicts: dict[str, Verdict], control: bool) -> None:
    print(f"\n{title}")
    word = "flagged" if control else "contained"
    for field in ("group", "severity"):
        for kind in dict.fromkeys(getattr(probe, field) for probe in PROBES):
            names = [probe.name for probe in PROBES if getattr(probe, field) == kind and probe.name in verdicts]
            good = sum(verdicts[name].flagged is control for name in names)
            print(f"  {kind:12} {word} {good} of {len(names)}")
    good = sum(verdict.flagged is control for verdict in verdicts.values())
    print(f"  {'all':12} {word} {good} of {len(verdicts)}")
    for name, verdict in verdicts.items():
        if verdict.flagged is not control:
            reason = verdict.error if control else f"{verdict.outside} {verdict.said}"
            print(f"    {'vacuous here' if control else 'GOT OUT'}: {name} ({reason})")


def main() -> None:
    what = sys.argv[1] if len(sys.argv) > 1 else "all"
    if what == "throwaway":
        os.environ["PROBED_HOST_IS_A_DECOY"] = "yes"
        command = hosts.on_throwaway_host(sys.argv[2:])
        os.execv(command[0], command)
    if what == "containers":
        _print("Containers started by this user", in_containers(), control=False)
        return
    if what in {"contained", "loosened"}:
        verdicts = contained() if what == "contained" else loosened()
        print(json.dumps({name: asdict(verdict) for name, verdict in verdicts.items()}))
        return
    if os.geteuid() == 0:
        _print("Jails started by root", contained(), control=False)
    _print("Jails started by an ordinary user", elsewhere("contained"), control=False)
    _print("Positive control: no jail, on a throw-away host of decoys", elsewhere("loosened", True), control=True)


if __name__ == "__main__":
    main()
