"""Courses of life: each module tells the years of care of one kind of citizen, as a story that adds documents."""
