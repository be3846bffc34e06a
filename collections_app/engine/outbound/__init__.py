"""HTTP requests to servers that users name, and signatures on them.

- `addresses`: which network addresses may be reached, and the operator's allow list
- `circuit_breaker`: how long threads wait for a service that may not respond
- `client`: pinned, timed and bounded connections
- `destination`: strict parsing of URLs
- `errors`: what goes wrong with requests to other servers
- `fetch`: download a document
- `post`: deliver a message
- `webhook_signature`: Standard Webhooks signatures
"""
