"""What the browser tests share: browsers, a stranger's client, headless endpoints, measuring of sound and picture."""
