"""Base models: fetched whole, or not at all."""
