"""The paper's statements, by verdict."""
