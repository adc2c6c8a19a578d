"""Files of every format to rows."""
