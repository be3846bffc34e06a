"""`python -m embeddings`: the service on a port of its own."""

from embeddings.server.serve import main

if __name__ == "__main__":
    main()
