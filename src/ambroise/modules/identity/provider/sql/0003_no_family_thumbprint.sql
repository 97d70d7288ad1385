-- A token is bound to the certificate of the request that obtained it, not to that of its family.
alter table oauth_family drop column thumbprint;
