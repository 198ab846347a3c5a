"""A plain JSON shop feed: the smallest marketplace there is, and the worked example of docs/add-a-marketplace.md."""
