"""Methods side by side on one split: planned, fitted, judged, and kept in one folder."""
