-- A mail may come back days after it was sent: its deliveries are found by the message whatever became of them.
create index notification_delivery_message on notification_delivery (message) where message is not null;
drop index notification_delivery_handed;
