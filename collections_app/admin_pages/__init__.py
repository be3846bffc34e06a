"""Parts of the admin site. `collections_app.admin` registers all of it, because Django discovers only that module.

- `base`: classes for pages that only show rows, and for those that also delete them
- `columns`: columns that several pages have
- `html`: values as HTML
- `jobs`: the page of revisions in processing
- `webhooks`: the pages of webhook endpoints and deliveries
"""
