"""The room of charts turns the need of a chart into objects, through real helm."""
