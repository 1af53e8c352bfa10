"""Runs one command as its only child and ends it, at the latest, when the sandbox ends. A program, not a module.

``python -I -S keeper.py [--account UID:GID] -- COMMAND ...``

The sandbox holds the other end of the keeper's standard input. Every byte that comes in is the number of a signal to
pass on to the command; the end of the input means that the sandbox is gone, however it went (also by ``kill -9``),
and the command is killed. The kernel closes that pipe in every case, on Linux and on macOS, so nothing has to be
asked in a loop. The command's process id goes out on the standard output, its own two outputs go to the keeper's
standard error, which the sandbox has set to the log file. It imports the standard library only and starts in 20 ms.
"""

import contextlib
import ctypes
import os
import select
import signal
import sys
import warnings  # noqa: F401 - os.execvp imports it, and the other account may not be able to read our Python any more

LINUX_PR_SET_PDEATHSIG = 1
CANNOT_START = 127
KILLED_BY_SIGNAL = 128


def parse(arguments: list[str]) -> tuple[tuple[int, int] | None, list[str]]:
    """The account (user id, group id) to run under, if one is given, and the command."""
    split = arguments.index("--")
    options, command = arguments[:split], arguments[split + 1 :]
    if not options:
        return None, command
    user_id, group_id = options[1].split(":")
    return (int(user_id), int(group_id)), command


def become(account: tuple[int, int] | None) -> None:
    """Give up root for the account, groups first: afterwards there is no right left to change them."""
    if account is None:
        return
    user_id, group_id = account
    os.setgroups([])
    os.setgid(group_id)
    os.setuid(user_id)


def die_with_keeper(keeper_id: int) -> None:
    """On Linux: have the kernel kill this process when the keeper ends, for the case that the keeper itself is killed.

    The signal comes when the *thread* that forked ends, which is why the keeper has only the one thread. It must be
    asked for after the account has changed, because the kernel forgets the wish at that moment.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(LINUX_PR_SET_PDEATHSIG, int(signal.SIGKILL))
    # The keeper may have died between the fork and the line above; then no signal will ever come.
    if os.getppid() != keeper_id:
        os._exit(CANNOT_START)


def run_command(account: tuple[int, int] | None, command: list[str], keeper_id: int) -> None:
    """In the child: become the command. Does not return."""
    try:
        os.setsid()
        become(account)
        die_with_keeper(keeper_id)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(2, 1)
        # The keeper (Python) ignores SIGPIPE, and a command would inherit that.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.execvp(command[0], command)  # noqa: S606 - the command is the sandbox's own, no input
    except (OSError, ImportError) as error:
        os.write(2, f"{command[0]}: cannot be started: {error}\n".encode())
    finally:
        os._exit(CANNOT_START)


def pass_on(child_id: int, numbers: bytes) -> None:
    """Send the command the signals with these numbers; the whole process group for the one that cannot be caught.

    The keeper has not yet waited for the command, so its id cannot have passed to another process.
    """
    for number in numbers:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if number == signal.SIGKILL:
                os.killpg(child_id, number)
            os.kill(child_id, number)


def obey(child_id: int, child_changed: int) -> None:
    """Pass on what comes in; return once the command has ended or, after killing it, once the sandbox has."""
    while True:
        readable, _, _ = select.select([0, child_changed], [], [])
        if child_changed in readable:
            os.read(child_changed, 1024)
            if os.waitid(os.P_PID, child_id, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
                # What the command left behind in its group ends with it.
                pass_on(child_id, bytes([signal.SIGKILL]))
                return
        if 0 in readable:
            numbers = os.read(0, 64)
            pass_on(child_id, numbers or bytes([signal.SIGKILL]))
            if not numbers:
                return


def main() -> int:
    """Start the command, keep it, and exit as it did (128 plus the signal's number where a signal ended it)."""
    account, command = parse(sys.argv[1:])
    child_changed, wake_up = os.pipe()
    os.set_blocking(wake_up, False)
    # Before the fork: a command that ends at once would otherwise end unseen.
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    signal.set_wakeup_fd(wake_up, warn_on_full_buffer=False)
    keeper_id = os.getpid()
    child_id = os.fork()
    if child_id == 0:
        run_command(account, command, keeper_id)
    os.write(1, f"{child_id}\n".encode())
    os.close(1)
    obey(child_id, child_changed)
    code = os.waitstatus_to_exitcode(os.waitpid(child_id, 0)[1])
    return code if code >= 0 else KILLED_BY_SIGNAL - code


if __name__ == "__main__":
    sys.exit(main())
