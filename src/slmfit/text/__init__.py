"""Texts: cut into words and n-grams, weighted; figures put into words; users' strings made safe to show."""
