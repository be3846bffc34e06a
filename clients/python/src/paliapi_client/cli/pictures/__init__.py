"""Page images in terminals that can draw them."""
