"""The text encoders of the backend `embedded`: each turns a text into pieces, and pieces into vectors of one space."""
