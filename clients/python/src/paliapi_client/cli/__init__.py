"""`pali`, the command line of PaliAPI. It needs the extra `cli`: `pip install "paliapi-client[cli]"`."""
