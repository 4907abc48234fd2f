"""What else could a model have learned? Baselines that see no bone, and results by group, from a run's files alone."""

from osteon.audit.run import MARGINS, Audited, audit_run
from osteon.audit.show import show_audit

__all__ = ["MARGINS", "Audited", "audit_run", "show_audit"]
