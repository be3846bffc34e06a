"""The console: pages in the browser for owners, at `/` of the API's web server.

It calls the same functions as the API's views do, as the owner that has signed in. Its middleware runs for its own
paths only, so requests to the API cost no more and need no cookies.

- `middleware`, `access`: cookies and CSRF, and the caller of a signed-in browser
- `views`: one page per module
- `problem_pages`: errors as pages, with what to do next
"""
