"""Text -> IR; lark stops here."""
