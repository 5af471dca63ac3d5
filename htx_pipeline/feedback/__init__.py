"""The way back: a sender's own workbook with what is wrong marked in it, and what a new version changed.

What belongs here: from findings to a workbook for the sender (`write_feedback`), the findings of one
file by itself (`check_alone`), and the differences of two submissions (`diff_submissions`). What does
not: deciding what is wrong (`ingest`, `resolve`, `validation`) and sending anything.

A sender's file is only ever read; what goes back is a new file.
"""

from __future__ import annotations

from htx_pipeline.feedback.alone import Alone, check_alone
from htx_pipeline.feedback.deliver import (
    FEEDBACK_SCHEMA,
    Feedback,
    feedback_of,
    write_feedback,
    write_feedbacks,
)
from htx_pipeline.feedback.losses import losses_of
from htx_pipeline.ingest.changes import CHANGE_SCHEMA, diff_submissions, replace_submission

__all__ = [
    "CHANGE_SCHEMA",
    "FEEDBACK_SCHEMA",
    "Alone",
    "Feedback",
    "check_alone",
    "diff_submissions",
    "feedback_of",
    "losses_of",
    "replace_submission",
    "write_feedback",
    "write_feedbacks",
]
