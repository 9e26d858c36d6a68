"""Turn a finished comparison or readiness into what people read: a page, a workbook, a JSON document.

The view counts; the renderers only lay out. Nothing here compares, decides or reads an account.
"""
