"""People in browsers: passwords, second factors and sessions, for the console's pages where people sign in.

django-allauth checks and stores them; this package connects it to our roles, limits and settings. What is stored is
visible to one database login only, which these pages use (`database`), and never to a query of the API.

- `database`: the login, and the block of code that uses it
- `sessions`: sessions in the database, listed and ended by their user
- `forms`, `adapters`: limits on guessing, and where allauth's ways differ from ours
- `pages`: the decorator of views that run as that login, and the user of a request
"""
