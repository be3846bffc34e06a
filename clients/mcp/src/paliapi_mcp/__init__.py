"""PaliAPI for agents: search documents and look at their pages over the Model Context Protocol."""
