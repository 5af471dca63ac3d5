"""Errors a person can act on.

What belongs here: the one exception that carries *what* went wrong, *where* (file, sheet, cell),
*why*, and *what to do*, in English and, where the sender of a file reads it, in Vietnamese.
What does not: findings about single rows or cells, which are data (`htx_pipeline.findings`).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(eq=False)
class InputError(Exception):
    """A user's mistake, or a file that cannot be used: shown as text, never as a traceback.

    Parameters
    ----------
    what:
        One sentence: what is wrong.
    where:
        File, sheet, cell, option or environment variable.
    why:
        The reason, when it is not plain from *what*.
    remedy:
        What to do next.
    what_vi, remedy_vi:
        The same for the Vietnamese reader; empty when only the operator sees it.
    code:
        A stable name of the kind of error, for tests and for filtering logs.

    Examples
    --------
    >>> error = InputError("The file is empty.", where="a.xlsx", remedy="Ask for it again.")
    >>> print(error)
    The file is empty.
      where: a.xlsx
      do:    Ask for it again.
    """

    what: str
    where: str = ""
    why: str = ""
    remedy: str = ""
    what_vi: str = ""
    remedy_vi: str = ""
    code: str = "input_error"

    def __str__(self) -> str:
        """Return the message as the terminal shows it."""
        lines = [self.what]
        if self.where:
            lines.append(f"  where: {self.where}")
        if self.why:
            lines.append(f"  why:   {self.why}")
        if self.remedy:
            lines.append(f"  do:    {self.remedy}")
        if self.what_vi:
            lines.append(f"  vi:    {self.what_vi} {self.remedy_vi}".rstrip())
        return "\n".join(lines)
