"""The medical profile (profil médical): what a person tells of their health, and what documents say of it."""
