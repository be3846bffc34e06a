"""The framework-free packages of the product: no Django, no database, and no imports between the five.

- `evaluation`: how good a ranking is, given questions and judgements.
- `input`: checks and normalises what clients send: names, metadata, filters, base64.
- `outbound`: requests to addresses that untrusted clients choose: downloads and webhooks.
- `rendering`: files to page images and text, in confined child processes.
- `retrieval`: page vectors to ranked candidates, scores and answer regions.
"""
