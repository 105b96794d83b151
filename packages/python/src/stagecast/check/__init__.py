"""Checks a stage service, in any language, against the contract over HTTP."""
from .command import main
from .report import Report
from .service import Options, check_service

__all__ = ["Options", "Report", "check_service", "main"]
