"""Runs: one method on one dataset, fitted, trained again with other seeds, measured, asked, scored and described."""
