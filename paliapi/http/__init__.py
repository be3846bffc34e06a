"""HTTP behaviour shared by all endpoints: errors, paging, ETags, request bodies, uploads and the OpenAPI document."""
