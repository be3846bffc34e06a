"""What keys, owners and addresses may use at the same time or within a minute, apart from what they store."""
