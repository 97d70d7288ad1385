"""The way in of our own mails that come back: SMTP, for the mail server that receives for the instance."""
