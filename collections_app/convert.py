"""The verb that turns a file into page images without keeping anything."""
