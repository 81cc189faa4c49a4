"""How units change from session to session: how far, by what law, in jumps or in small steps."""
