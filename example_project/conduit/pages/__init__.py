"""Pages: a client of the API in the browser, one page of plain JavaScript modules."""
