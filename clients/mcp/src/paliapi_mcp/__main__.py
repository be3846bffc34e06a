"""`python -m paliapi_mcp` is the command `paliapi-mcp`."""

from paliapi_mcp.command import main

if __name__ == "__main__":
    main()
