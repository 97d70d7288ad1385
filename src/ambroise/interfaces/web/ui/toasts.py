"""What just happened, told once on the next page. The cookie carries a code and an id, never health content."""

from __future__ import annotations

import re

from msgspec import Struct

from ambroise.interfaces.web.ui.i18n import N_, gettext

_WRITTEN = re.compile(r"([a-z-]{1,40})(?::([0-9a-f-]{8,36}))?")

_SAID = {
    "language": N_("La langue a changé."),
    "settings": N_("Vos réglages sont enregistrés."),
    "passkey-added": N_("Clé d’accès ajoutée. Elle vous ouvre ce compte dès maintenant."),
    "passkey-first": N_("Clé d’accès ajoutée. Elle vous ouvre maintenant vos logiciels et ce portail."),
    "passkey-named": N_("Clé d’accès renommée."),
    "passkey-revoked": N_("Clé d’accès révoquée. Elle n’ouvre plus rien."),
    "unlinked": N_("Lien retiré. Ce service n’ouvre plus ce compte."),
    "signed-out": N_("Vous êtes déconnecté."),
    "masked": N_("Document masqué."),
    "unmasked": N_("Document de nouveau visible par vos soignants autorisés."),
    "added": N_("Document ajouté."),
    "emergency-code-revoked": N_("Code annulé. Il n’ouvre plus rien."),
    "profile-saved": N_("C’est enregistré dans votre profil médical."),
    "profile-removed": N_("C’est supprimé de votre profil médical."),
    "deleted": N_("Document supprimé."),
    "deleted-all": N_("Documents supprimés."),
    "put-away": N_("Documents rangés."),
    "folder-made": N_("Dossier créé."),
    "folder-removed": N_("Dossier supprimé. Ses documents restent."),
    "pinned": N_("Document épinglé en haut de votre liste."),
    "unpinned": N_("Document retiré du haut de votre liste."),
    "blocked": N_("Personne bloquée. Elle ne voit plus rien."),
    "unblocked": N_("Personne débloquée. Elle ne verra votre dossier qu’avec un nouvel accord."),
    "authorised": N_("Accès autorisé."),
    "presence-ended": N_("Accès terminé. Cette personne ne voit plus votre dossier."),
    "withdrawn": N_("Accès retiré."),
    "team-withdrawn": N_("Accès retiré à toute l’équipe de soins."),
    "matrix-published": N_("Version publiée. Elle prend effet à son heure partout à la fois."),
    "kept": N_("C’est caché à cette personne."),
    "kept-no-more": N_("Cette personne peut de nouveau le voir, selon son métier."),
    "emergency-settings": N_("Votre choix pour les urgences est enregistré."),
    "filing-settings": N_("Vos choix pour les dépôts sont enregistrés."),
    "rule-drafted": N_("Brouillon enregistré. Rien ne change encore."),
    "rule-dropped": N_("Brouillon jeté."),
    "rule-published": N_("Version publiée. Elle prend effet à sa date."),
    "rule-withdrawn": N_("Version retirée avant d’avoir pris effet."),
    "checkup-filed": N_("Copie rangée dans vos documents, visible par vos soignants autorisés."),
    "checkup-saved": N_("Brouillon gardé. Vous seul le voyez."),
    "checkup-shared": N_("Réponses partagées avec vos soignants autorisés."),
    "checkup-taken-back": N_("Vos réponses ne sont plus partagées."),
    "plan-kept": N_("C’est noté, pour vous seul."),
    "plan-shared": N_("C’est noté, et partagé avec vos soignants autorisés."),
    "prevention-done": N_("C’est noté."),
    "prevention-not-done": N_("C’est noté. Nous ne vous le rappelons plus."),
    "prevention-taken-back": N_("Ce que vous aviez noté est repris."),
    "prevention-not-concerned": N_("C’est noté. Cela ne vous sera plus proposé."),
    "birth-told": N_("C’est noté. L’agenda suit les semaines d’après la naissance."),
    "pregnancy-told": N_("C’est noté. L’agenda suit cette grossesse."),
    "pregnancy-ended": N_("L’agenda ne suit plus cette grossesse."),
    "reported": N_("Signalement envoyé. Nous vous répondrons ici."),
    "reported-before": N_("Vous l’avez déjà signalé : le guichet vérifie."),
    "reported-desk": N_("Signalement envoyé au guichet."),
    "all-read": N_("Tout est marqué comme vu."),
    "notice-deleted": N_("Notification supprimée, pour tous ceux qui ouvrent ce dossier."),
    "notices-deleted": N_("Les notifications lues sont supprimées."),
    "notice-settings": N_("Vos choix sont enregistrés."),
    "notice-settings-undone": N_("Vos choix d’avant sont rétablis."),
    "notice-device": N_("Cet appareil sera prévenu."),
    "notice-device-forgotten": N_("Cet appareil ne sera plus prévenu."),
    "space": N_("Vous avez changé de dossier."),
    "consent": N_("Accord enregistré. Le patient le voit dans son historique."),
    "consent-for": N_("Accord enregistré. Le patient voit que c’est vous qui l’avez recueilli."),
    "consent-team": N_("Accord enregistré pour l’équipe. Le patient voit le nom de chacun."),
    "emergency-open": N_("Accès d’urgence ouvert pour une heure."),
    "emergency-closed": N_("Accès d’urgence fermé."),
    "deposited": N_("Document déposé."),
    "consent-given": N_("Accord donné. Vous pouvez le retirer quand vous voulez."),
    "consent-refused": N_("Demande refusée. Cette personne ne voit rien."),
    "consent-reopened": N_("Réponse annulée. La demande attend de nouveau."),
    "consent-asked": N_("Demande envoyée. Vous verrez ici la réponse."),
    "space-objected": N_("Opposition enregistrée. Vous pouvez télécharger sa preuve."),
    "space-activated": N_("Votre espace est activé."),
    "space-closed": N_("Votre espace est fermé."),
    "space-reopened": N_("Votre espace est rouvert."),
    "space-deleting": N_("Suppression demandée. Vous pouvez encore changer d’avis."),
    "space-kept": N_("Suppression annulée. Vos données restent archivées."),
    "space-contested": N_("Suspension contestée. Votre espace est rouvert."),
    "copy-asked": N_("La copie se prépare. Vous serez prévenu quand elle sera prête."),
    "import-taken": N_("La reprise est en cours. Vous serez prévenu quand elle sera finie."),
    "import-dropped": N_("Fichier supprimé. Rien n’a été repris."),
    "import-undone": N_("Reprise annulée. Ce qu’elle avait apporté est supprimé."),
    "copy-deleted": N_("Copie supprimée."),
    "invited": N_("Demande envoyée. Vous verrez ici la réponse."),
    "invitation-accepted": N_("Vous pouvez maintenant ouvrir ce dossier."),
    "invitation-refused": N_("Demande déclinée."),
    "invitation-withdrawn": N_("Demande reprise."),
    "help-ended": N_("C’est terminé. Ce dossier n’est plus ouvert à cette personne."),
    "help-began": N_("Vous aidez cette personne pendant une heure."),
    "desk-space": N_("L’espace a changé d’état."),
    "desk-population": N_("Fichier reçu. Il est lu à l’arrière-plan."),
    "desk-letters": N_("Les lettres se préparent à l’arrière-plan."),
    "desk-no-letters": N_("Aucune lettre n’attend."),
    "desk-no-letter": N_("Pas de lettre : l’adresse n’est pas connue, ou le délai est passé."),
    "desk-relation": N_("C’est enregistré."),
    "desk-clock": N_("L’horloge a avancé."),
    "met": N_("Dossier ouvert : le patient est avec vous. L’accès s’arrête tout seul."),
    "card-asked": N_("Demande envoyée. Le guichet va vérifier votre identité."),
    "card-coded": N_("Code secret enregistré."),
    "card-suspended": N_("Carte mise de côté. Personne ne peut la montrer."),
    "card-resumed": N_("Vous avez repris votre carte."),
    "card-ended": N_("La carte est terminée."),
    "card-phone-forgotten": N_("Aucun téléphone ne montre plus la carte sans réseau."),
    "card-delegated": N_("Vous pouvez maintenant montrer cette carte."),
    "card-delegation-ended": N_("C’est terminé. Cette personne ne montre plus la carte."),
    "taken": N_("Signalement pris en charge."),
    "closed": N_("Signalement terminé."),
    "client-suspended": N_("Logiciel suspendu. Ce qu’il avait reçu ne marche plus."),
    "client-restored": N_("Logiciel rétabli."),
    "situation": N_("Vous travaillez maintenant dans un autre lieu."),
    "approval-given": N_("C’est validé. Revenez à l’autre écran."),
    "approval-refused": N_("C’est refusé."),
    "account-opened": N_("Votre compte est ouvert. Connectez-vous."),
    "code-sent": N_("Code envoyé."),
    "contact-proven": N_("Adresse vérifiée."),
    "password-chosen": N_("Mot de passe choisi. Connectez-vous avec lui."),
    "rescue-refused": N_("Demande écartée."),
    "factor": N_("C’est enregistré. Un code sera demandé sur chaque appareil."),
    "device-forgotten": N_("Appareil oublié et déconnecté."),
    "devices-forgotten": N_("Tous les autres appareils sont oubliés et déconnectés."),
    "alert-recognised": N_("Merci. Cet appareil est bien le vôtre."),
    "account-closed-off": N_("Tous les appareils sont déconnectés. Choisissez un nouveau mot de passe."),
    "password": N_("Mot de passe changé. Vos autres appareils sont déconnectés."),
}

# Which toasts offer to undo: where that is asked, and by which gesture.
_UNDO = {
    "notice-settings": ("/reglages/notifications/{id}", "annuler"),
    "masked": ("/documents/{id}/visibilite", "montrer"),
    "unmasked": ("/documents/{id}/visibilite", "masquer"),
    "authorised": ("/acces/personnes/{id}", "retirer"),
    "unblocked": ("/acces/personnes/{id}", "bloquer"),
    "consent-given": ("/acces/demandes/{id}", "revenir"),
    "consent-refused": ("/acces/demandes/{id}", "revenir"),
}


class Toast(Struct, frozen=True):
    """One thing that happened, to the object of this id when there is one."""

    code: str
    id: str = ""

    def written(self) -> str:
        return f"{self.code}:{self.id}" if self.id else self.code

    @classmethod
    def read(cls, cookie: str | None) -> Toast | None:
        found = _WRITTEN.fullmatch(cookie or "")
        return cls(found[1], found[2] or "") if found and found[1] in _SAID else None

    @property
    def text(self) -> str:
        return gettext(_SAID[self.code])

    @property
    def undo(self) -> tuple[str, str] | None:
        """Where a form that undoes it is sent, and the gesture it carries."""
        found = _UNDO.get(self.code)
        return (found[0].format(id=self.id), found[1]) if found and self.id else None
