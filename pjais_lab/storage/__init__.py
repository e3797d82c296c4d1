"""Where the data lives: journal, lake, state. The only place that imports a database."""
