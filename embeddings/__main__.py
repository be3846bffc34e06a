"""`python -m embeddings`: serve on a port."""

from embeddings.server.serve import main

if __name__ == "__main__":
    main()
