"""Many runs of one task beside published rows; from prediction files and result.json alone."""

from osteon.leaderboard.board import Board, leaderboard

__all__ = ["Board", "leaderboard"]
