"""Rendering: a template and plain facts become a message; shops' templates are written by strangers, so under guard."""
