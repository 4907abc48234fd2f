"""Several runs as one, from their prediction files alone: averaged, weighted, voted, or the best subset of them."""

from osteon.ensemble.made import Ensemble, Request
from osteon.ensemble.making import ensemble
from osteon.ensemble.members import Member, open_members

__all__ = ["Ensemble", "Member", "Request", "ensemble", "open_members"]
