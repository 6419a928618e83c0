"""The real process: pipes, Ctrl-C, terminals, disks that refuse."""

import errno
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

LOSSNETS = [sys.executable, "-m", "lossnets"]
ENDLESS = (
    "select count(*) from range(1000000) as a, range(1000000) as b where a.range % 7 = b.range % 5"
)


def bash(command: str, home: Path) -> subprocess.CompletedProcess[str]:
    program = f'{sys.executable} -m lossnets --home "{home}"'
    return subprocess.run(
        ["bash", "-c", command.replace("lossnets", program)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_version_and_help():
    done = subprocess.run([*LOSSNETS, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == "lossnets 0.1.0\n"
    done = subprocess.run([*LOSSNETS, "--help"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Usage: lossnets [OPTIONS] COMMAND [ARGS]...\n")


def test_a_closed_pipe_is_no_error(home):
    done = bash("lossnets sql 'select * from range(200000)' | head -1; echo ${PIPESTATUS[0]}", home)
    assert done.stdout == "range\n0\n"
    assert done.stderr == ""


def test_ctrl_c_ends_a_query_with_130_and_no_traceback(home):
    process = subprocess.Popen(
        [*LOSSNETS, "--home", str(home), "sql", ENDLESS],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for_threads(process.pid)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", "interrupted\n")


def wait_for_threads(pid: int) -> None:
    """Until the process computes in several threads, which only a query does."""
    while True:
        time.sleep(0.01)
        usage = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
        if int(usage[17]) > 1 and int(usage[11]) > 100:
            return


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    done = bash("lossnets sql 'select 1'", blocked / "data")
    assert done.returncode == 2
    assert done.stderr == (
        f"error: cannot write to {blocked / 'data'}: Not a directory\n"
        "hint: make room or choose another folder with --home or LOSSNETS_HOME\n"
    )


def test_a_full_disk_is_told(home):
    done = bash("lossnets sql 'from scores' > /dev/full", home)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"error: {os.strerror(errno.ENOSPC)}"
    assert "Traceback" not in done.stderr


def test_output_goes_to_a_device_too(home):
    done = bash("lossnets sql --format csv -o /dev/stdout 'select 42 as answer' | cat", home)
    assert (done.returncode, done.stdout) == (0, "answer\n42\n")


@pytest.mark.parametrize(
    ("arguments", "error", "hint"),
    [
        (["nothing"], "No such command 'nothing'.", "lossnets --help"),
        (["sql", "--formt", "csv"], "No such option '--formt'. Did you mean '--format'?",
         "lossnets sql --help"),
        (["export"], "Missing option '-o' / '--output'.", "lossnets export --help"),
        (["attribute", "derive", "x"], "Missing argument 'EXPRESSION'.",
         "lossnets attribute derive --help"),
    ],
)  # fmt: skip
def test_wrong_usage_is_told(run, arguments, error, hint):
    done = run(*arguments)
    assert (done.status, done.out) == (2, "")
    assert done.err == f"error: {error}\nhint: {hint}\n"


def terminal_session(home: Path, arguments: list[str], typed: list[str], **environment: str) -> str:
    """What a terminal of 24 × 80 shows of a session."""
    pid, descriptor = pty.fork()
    if pid == 0:
        os.environ.update({"TERM": "dumb", "PAGER": "cat", "XDG_STATE_HOME": str(home / "state")})
        os.environ.update(environment)
        os.execv(sys.executable, [*LOSSNETS, "--home", str(home), *arguments])
    shown = b""
    try:
        while True:
            if typed and shown.endswith((b"sql> ", b"...> ")):
                os.write(descriptor, typed.pop(0).encode())
            chunk = os.read(descriptor, 4096)
            if not chunk:
                break
            shown += chunk
    except OSError:  # the terminal is gone with its process
        pass
    os.close(descriptor)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    return shown.decode().replace("\r\n", "\n")


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_terminal_gets_a_table(home):
    shown = terminal_session(home, ["sql", "select 42 as answer, 'x' as y"], [])
    assert "answer  y\n──────  ─\n    42  x\n1 row\n" in shown


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_the_prompt_answers_outlives_errors_and_remembers(home):
    shown = terminal_session(
        home,
        ["sql"],
        ["select 6 * 7\n", "as answer;\n", "select vale from scores;\n", ".tables\n", ".quit\n"],
    )
    assert "answer\n──────\n    42\n1 row\n" in shown
    assert 'error: Binder Error: Referenced column "vale" not found in FROM clause!\n' in shown
    assert "\naverage_ranks\n" in shown
    history = (home / "state" / "lossnets" / "history").read_text()
    assert "select vale from scores;" in history


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_the_end_of_input_leaves_the_prompt(home):
    assert terminal_session(home, ["sql"], ["\x04"]).count("sql> ") == 1
