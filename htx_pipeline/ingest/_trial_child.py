"""The process in which a workbook is read for trial: `ingest.trial` starts it, nothing imports it.

What belongs here: limiting this process, reading every cell from standard input, and saying in one line
of JSON how that ended. Only the standard library and the cell reader are imported, so that it starts fast.
"""

import io
import json
import sys


def limit(memory_bytes: int, cpu_seconds: int) -> None:
    """Limit this process, where the system can; it also leaves no core file behind."""
    try:
        import resource
    except ImportError:  # not a POSIX system: the parent's timeout remains
        return
    for which, most in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(which)
        bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(which, (bound, bound))


def read(content: bytes) -> None:
    """Read every sheet to its last cell, one row at a time."""
    import python_calamine

    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
    for meta in book.sheets_metadata:
        if str(meta.typ).endswith("WorkSheet"):
            for _ in book.get_sheet_by_name(meta.name).iter_rows():
                pass


def main() -> None:
    """Try, and tell: ``code`` is empty when all went well, else the refusal the parent raises."""
    folder, memory_bytes, cpu_seconds = sys.argv[1:4]
    sys.path.append(folder)
    content = sys.stdin.buffer.read()
    limit(int(memory_bytes), int(cpu_seconds))
    try:
        read(content)
        told = {"code": "", "why": ""}
    except MemoryError:
        told = {"code": "reader_failed", "why": "it needs too much memory"}
    except BaseException as error:  # noqa: BLE001  (a panic of the Rust reader is no Exception)
        code = "encrypted" if type(error).__name__ == "PasswordError" else "damaged"
        told = {"code": code, "why": str(error)[:300]}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
