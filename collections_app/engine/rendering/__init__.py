"""From a file to page images, in confined processes.

Public modules:

- `confinement`: the walls around the processes that open files
- `errors`: what can be wrong with a file
- `file_types`: detect the type of a file from its content
- `protocol`: limits, rendered pages and the error of one page
- `query_image`: decode an image that is a query
- `render`: render the pages of a file
- `soffice`: convert Office files to PDF with LibreOffice
- `zip_check`: read a ZIP archive, with limits
"""
