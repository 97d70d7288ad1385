"""Refusals in words: what happened, why, and the lawful ways on."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from ambroise.interfaces.web.ui.i18n import N_, gettext
from ambroise.kernel.errors import Kind, Refusal

STATUS: Mapping[Kind, int] = {
    Kind.INVALID: 400,
    Kind.UNPROCESSABLE: 422,
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.CONFLICT: 409,
    Kind.GONE: 410,
    Kind.PRECONDITION_FAILED: 412,
    Kind.UNSUPPORTED: 501,
    Kind.UNSUPPORTED_MEDIA: 415,
    Kind.TOO_LARGE: 413,
    Kind.THROTTLED: 429,
    Kind.UNAVAILABLE: 503,
}

_BY_KIND: Mapping[Kind, tuple[str, str]] = {
    Kind.INVALID: (
        N_("Cette demande n’est pas complète"),
        N_("Revenez à la page précédente et vérifiez ce que vous avez écrit."),
    ),
    Kind.UNPROCESSABLE: (
        N_("Ce n’est pas possible"),
        N_("Revenez à la page précédente et vérifiez ce que vous avez écrit."),
    ),
    Kind.UNAUTHENTICATED: (N_("Connectez-vous"), N_("Cette page demande de savoir qui vous êtes.")),
    Kind.FORBIDDEN: (N_("Vous n’avez pas accès à cette page"), N_("Une règle de protection des données l’empêche.")),
    Kind.NOT_FOUND: (N_("Page introuvable"), N_("Elle a peut-être changé d’adresse, ou n’existe plus.")),
    Kind.CONFLICT: (
        N_("Quelque chose a changé entre-temps"),
        N_("Rechargez la page pour voir l’état présent, puis recommencez."),
    ),
    Kind.GONE: (N_("Ce contenu n’existe plus"), N_("Il a été supprimé par son auteur.")),
    Kind.PRECONDITION_FAILED: (
        N_("Quelque chose a changé entre-temps"),
        N_("Rechargez la page pour voir l’état présent, puis recommencez."),
    ),
    Kind.UNSUPPORTED: (N_("Ce n’est pas possible"), N_("Ce service ne sait pas encore le faire.")),
    Kind.UNSUPPORTED_MEDIA: (N_("Ce format n’est pas accepté"), N_("Choisissez un PDF, une photo ou un texte.")),
    Kind.TOO_LARGE: (N_("Ce fichier est trop lourd"), N_("Choisissez un fichier plus petit.")),
    Kind.THROTTLED: (N_("Trop d’essais"), N_("Attendez un moment avant de recommencer.")),
    Kind.UNAVAILABLE: (N_("Le service ne répond pas"), N_("Réessayez dans quelques instants. Rien n’est perdu.")),
}

# Codes that deserve their own words, wherever they come from.
_BY_CODE: Mapping[str, str] = {
    "RULE_DUTY": N_("Seuls les opérateurs chargés de la prévention changent le calendrier."),
    "RULE_SAME": N_("Ce brouillon ne change rien à la version en vigueur."),
    "RULE_REASON": N_("Dites pourquoi la règle change."),
    "RULE_TOO_SOON": N_("Une version prend effet demain au plus tôt : on peut encore la retirer avant."),
    "RULE_BEGUN": N_("Cette version a pris effet ou a été retirée : publiez-en une autre."),
    "RULE_EXISTS": N_("Une règle, ou un brouillon, porte déjà ce nom."),
    "RULE_NAME": N_("Écrivez deux parties ou plus, en minuscules, chiffres et traits d’union, jointes par des points."),
    "RULE_OVER": N_("Cette règle est déjà arrêtée."),
    "RULE_NOT_BEGUN": N_("Cette règle n’a pas commencé ce jour-là : retirez plutôt sa version."),
    "ALREADY_DONE": N_("C’est déjà noté comme fait."),
    "DATE_OUTSIDE_LIFE": N_("Donnez un jour entre la naissance et aujourd’hui."),
    "BIRTH_DATE_UNLIKELY": N_("Vérifiez le jour de la naissance : il est passé, et proche de la date prévue."),
    "NOT_CONCERNED_BY_LAW": N_("La loi demande cet acte : parlez-en avec un soignant."),
    "EXPECTED_DATE_UNLIKELY": N_("Vérifiez la date prévue : elle est dans les 42 semaines qui viennent."),
    "FORM_FORGED": N_(
        "Ce formulaire n’a pas été ouvert dans ce navigateur, ou il y a trop longtemps. Rouvrez la page."
    ),
    "NOT_THIS_PORTAL": N_("Cette page s’adresse à d’autres personnes que vous."),
    "ACTIVE_CONTENT": N_("Ce fichier contient un programme. Enregistrez-le sans, puis recommencez."),
    "MALWARE": N_("Ce fichier contient un virus connu. Il n’a pas été gardé."),
    "XML_MALFORMED": N_("Ce document est abîmé : son contenu ne se lit pas."),
    "XML_DTD_FORBIDDEN": N_("Ce document contient des définitions interdites. Son éditeur doit le corriger."),
    "IMPORT_NOT_UNDERSTOOD": N_(
        "Ce fichier n’est ni un résumé médical (IPS, en FHIR ou en CDA), ni la copie d’un espace Ambroise."
    ),
    "IMPORT_TOO_LARGE": N_("Ce fichier est trop lourd pour être repris d’un coup."),
    "IMPORT_OTHER_PERSON": N_(
        "Ce fichier parle de quelqu’un d’autre : le nom, le prénom, la date de naissance ou le sexe ne sont pas ceux "
        "de ce dossier. Rien n’a été repris."
    ),
    "IMPORT_TAKEN_BEFORE": N_("Ce fichier a déjà été repris. Annulez d’abord la reprise pour recommencer."),
    "IMPORT_DECIDED": N_("Vous avez déjà décidé pour ce fichier."),
    "COPY_UNDER_WAY": N_("Une copie se prépare déjà. Attendez qu’elle soit prête."),
    "COPY_OUTDATED": N_("Un document de cette copie a été retiré depuis : elle est supprimée. Demandez-en une autre."),
    "COPY_OVER": N_("Cette copie a été supprimée à la fin de son délai. Demandez-en une autre."),
    "TOO_LARGE": N_("Ce fichier est trop lourd. Choisissez un fichier plus petit."),
    "CONTENT_UNSUPPORTED": N_("Ce format n’est pas accepté. Choisissez un PDF, une photo ou un texte."),
    "ZIP_DAMAGED": N_("Ce fichier ZIP est abîmé : refaites-le, puis recommencez."),
    "ZIP_ENCRYPTED": N_("Ce fichier ZIP est protégé par un mot de passe. Refaites-le sans mot de passe."),
    "ZIP_UNSAFE": N_("Ce fichier ZIP contient des chemins ou des liens interdits. Refaites-le avec votre logiciel."),
    "ZIP_TOO_LARGE": N_("Ce fichier ZIP contient trop de données. Partagez-le en plusieurs."),
    "XDM_EMPTY": N_("Ce fichier ZIP n’est pas un export de documents de santé (IHE XDM)."),
    "XDM_FILE_MISSING": N_("Il manque un document dans ce fichier ZIP. Refaites l’export."),
    "XDM_HASH_MISSING": N_("L’empreinte ou la taille d’un document manque dans ce fichier ZIP. Refaites l’export."),
    "HASH_MISMATCH": N_("Un document a changé en route : son empreinte n’est pas celle annoncée. Refaites l’export."),
    "XDM_OTHER_PATIENT": N_("Ce fichier ZIP concerne quelqu’un d’autre. Ouvrez le dossier de cette personne."),
    "XDM_VISIBILITY": N_(
        "Un export XDM dit lui-même qui voit ses documents. Déposez-le à part, sans choix de visibilité."
    ),
    "XDM_NOTHING": N_("Choisissez au moins un document."),
    "XDM_TOO_MANY": N_("Un fichier ZIP contient au plus cent documents. Faites-en plusieurs."),
    "METADATA_INVALID": N_("La description du document n’est pas conforme. Prévenez l’éditeur de votre logiciel."),
    "METADATA_MISSING": N_("Il manque une information sur le document."),
    "SIDECAR_MISSING": N_(
        "Ce fichier ne dit pas ce qu’il est, ni de qui il parle : décrivez-le dans un fichier voisin."
    ),
    "SIDECAR_INVALID": N_("Le fichier voisin qui décrit ce document ne se lit pas."),
    "CONTENT_EMPTY": N_("Ce fichier est vide."),
    "DUPLICATE_UNIQUE_ID": N_("Ce document est déjà dans le dossier."),
    "OPPOSITION_REASON_MISSING": N_("Dites pourquoi vous vous opposez aux dépôts."),
    "FEED_OPPOSED": N_("La personne s’oppose au dépôt de ce document, pour un motif légitime."),
    "DMP_CLOSED": N_("Le dossier de cette personne est fermé. Vous ne pouvez pas y déposer de document."),
    "DMP_NOT_FOUND": N_("Aucun dossier n’existe pour cette identité."),
    "NO_STRUCTURE": N_("Un document se signe au nom d’un établissement : choisissez votre lieu d’exercice."),
    "SPECIALTY_UNKNOWN": N_(
        "Votre spécialité n’est pas dans les listes nationales : ce document ne peut pas être signé."
    ),
    "TREATING_UNKNOWN": N_(
        "La synthèse doit nommer le médecin traitant, et celui de cette personne n’est pas connu ici. Enregistrez-le."
    ),
    "PROFILE_CHANGED": N_("Le dossier a changé depuis que vous l’avez lu : relisez ce qui suit, puis signez."),
    "INS_NOT_QUALIFIED": N_("L’identité de cette personne n’est pas qualifiée : vérifiez-la d’abord."),
    "TRAITS_MISMATCH": N_("L’identité écrite dans le document n’est pas celle de ce dossier."),
    "METADATA_MISMATCH": N_("Les informations du document et celles que vous avez saisies se contredisent."),
    "CLASS_TYPE_MISMATCH": N_("Le type et la classe du document ne vont pas ensemble."),
    "AUTHOR_MISMATCH": N_("L’auteur écrit dans le document n’est pas vous."),
    "PHOTO_HEIC": N_("Les photos HEIC ne sont pas acceptées. Enregistrez la photo en JPEG, puis ajoutez-la."),
    "PAGES_NOT_PHOTOS": N_(
        "Seules des photos peuvent être les pages d’un même document. Ajoutez les autres fichiers seuls."
    ),
    "TOO_MANY_PAGES": N_("Ce document a plus de douze pages. Faites-en deux."),
    "IMAGE_UNREADABLE": N_("Cette image ne s’ouvre pas. Enregistrez-la de nouveau."),
    "IMAGE_TOO_LARGE": N_("Cette image est trop grande. Réduisez-la, puis recommencez."),
    "PDF_ENCRYPTED": N_("Ce PDF est protégé par un mot de passe. Enregistrez-le sans protection."),
    "PDF_TOO_COMPLEX": N_("Ce PDF est trop complexe. Imprimez-le dans un nouveau PDF, puis recommencez."),
    "XML_TOO_COMPLEX": N_("Ce document est trop complexe pour être lu en sûreté."),
    "SCANNER_UNAVAILABLE": N_("La recherche de virus ne répond pas. Réessayez dans quelques instants."),
    "INS_INVALID": N_("Ce matricule INS n’est pas valable."),
    "INS_UNKNOWN": N_("Aucun dossier n’a cet INS."),
    "TRAITS_NOT_CORRECTED": N_("Corrigez d’abord les traits dans l’identité, puis terminez ce signalement."),
    "INS_UNCHANGED": N_("C’est déjà l’INS de ce dossier. Donnez le nouveau."),
    "SAME_SPACE": N_("Cet INS est celui du même dossier. Donnez celui de l’autre."),
    "WITHHOLDING_RESERVED": N_("Seul un professionnel peut réserver un document à une annonce."),
    "REQUEST_OVER": N_("Cette demande a déjà une réponse, ou n’attend plus."),
    "REQUEST_WAITS": N_("Vous avez déjà demandé son accord à cette personne. Elle n’a pas encore répondu."),
    "REQUEST_TOO_SOON": N_("Vous lui avez demandé son accord il y a peu. Attendez avant de redemander."),
    "REQUESTS_TOO_MANY": N_("Vous avez envoyé beaucoup de demandes aujourd’hui. Continuez demain."),
    "CONSENT_FOR_ONESELF": N_("C’est vous : enregistrez votre propre accord sur la page précédente."),
    "TEAM_EMPTY": N_("Choisissez au moins une personne qui n’est pas encore dans l’équipe."),
    "TEAM_TOO_LARGE": N_("Une équipe de soins a trente membres au plus."),
    "CONSENT_GIVEN": N_("Cette personne vous a déjà donné son accord."),
    "REPORT_OPEN": N_("Vous l’avez déjà signalé : le guichet vérifie, et vous répondra."),
    "PASSKEYS_UNAVAILABLE": N_("Cette instance ne sait pas encore prendre de clé d’accès."),
    "PASSKEYS_TOO_MANY": N_("Vous avez déjà vingt clés. Révoquez-en une avant d’en ajouter."),
    "PASSKEY_NOT_REGISTERED": N_("Cette clé n’a pas pu être enregistrée. Recommencez."),
    "PASSKEY_NAME": N_("Donnez un nom de 60 lettres au plus."),
    "PASSKEY_UNKNOWN": N_("Cette clé d’accès n’existe plus."),
    "LAST_STRONG_MEANS": N_("C’est votre dernière clé d’accès. Ajoutez-en une autre avant de la révoquer."),
    "PASSKEY_ASKED": N_("Ce compte s’ouvre avec sa clé d’accès, et pas autrement."),
    "INVITATION_WRONG": N_("Cet identifiant et ce code ne vont pas ensemble, ou le code a déjà servi."),
    "INVITATION_OVER": N_("Trop de temps a passé. Demandez un autre code au guichet."),
    "NO_SUCH_ACCOUNT": N_("Aucun professionnel d’ici n’a ce numéro."),
    "PROOF_TOO_OLD": N_("Montrez de nouveau qui vous êtes, puis recommencez."),
    "SIGN_ON_ENDED": N_(
        "Cette demande de connexion est terminée, ou a commencé dans un autre navigateur. Revenez au logiciel "
        "et recommencez."
    ),
    "APPROVAL_ENDED": N_("Personne n’a répondu à temps sur le téléphone. Recommencez la connexion."),
    "APPROVAL_DENIED": N_("La demande a été refusée sur le téléphone."),
    "CERTIFICATE_MISSING": N_(
        "Aucun certificat valable n’a été montré : il manque, il est périmé, révoqué ou d’une autre autorité. Revenez "
        "au logiciel et choisissez un autre moyen, ou installez votre certificat."
    ),
    "CERTIFICATE_NOT_OF_A_PERSON": N_("Ce certificat n’est pas celui d’un professionnel. Choisissez-en un autre."),
    "CERTIFICATE_OF_NOBODY": N_("Personne ici n’a l’identifiant écrit dans ce certificat. Prévenez le guichet."),
    "NUMBER_WRONG": N_("Ce nombre n’est pas celui de l’autre écran. Ne validez que si vous avez demandé à entrer."),
    "NUMBER_WRONG_TOO_OFTEN": N_("Trois nombres faux : la demande est refusée."),
    "TOO_MANY_ATTEMPTS": N_("Trop d’essais. Attendez quelques minutes avant de recommencer."),
    "INVALID_CLIENT": N_("Le logiciel qui vous envoie ici n’est pas connu. Prévenez son éditeur."),
    "INVALID_REDIRECT_URI": N_(
        "Une adresse manque ou n’est pas acceptée : https sans # ni nom d’utilisateur, ou http sur cette machine."
    ),
    "INVALID_CLIENT_METADATA": N_(
        "Ces choix ne vont pas ensemble : une clé demande des clés publiques, un certificat son sujet, un échange un "
        "certificat ; sans preuve, un logiciel n’agit pas pour lui-même."
    ),
    "CLIENT_UNKNOWN": N_("Ce logiciel n’est plus dans cet état. Rechargez la page."),
    "REDIRECT_URI_UNKNOWN": N_("Le logiciel qui vous envoie ici n’a pas déclaré son adresse. Prévenez son éditeur."),
    "LOGOUT_HINT_INVALID": N_("Le logiciel qui vous envoie ici se trompe. Fermez votre navigateur pour partir."),
    "SEVERAL_HOLDERS": N_("Plusieurs personnes sont sur cette carte : écrivez aussi le nom et le prénom de naissance."),
    "NO_USER_FOUND": N_("Ces informations ne désignent personne. Vérifiez-les : elles doivent toutes être exactes."),
    "CONTACTS_NOT_FOUND": N_(
        "Votre assurance maladie ne connaît aucun moyen de vous écrire. Mettez vos coordonnées à jour auprès d’elle, "
        "par votre compte ou au 3422."
    ),
    "MIN_DELAY_ERROR": N_("Un code vient de partir. Attendez 30 secondes avant d’en demander un autre."),
    "ENROLMENT_WAIT": N_("Trop d’essais. Attendez quelques minutes avant de recommencer."),
    "ENROLMENT_SENDS": N_("Trop de codes ont été envoyés. Recommencez depuis le début, plus tard."),
    "ENROLMENT_STEP": N_("Cette étape n’est pas celle où vous en êtes."),
    "SESSION_TIMED_OUT": N_("Trop de temps a passé. Recommencez depuis le début."),
    "CODE_WRONG": N_("Ce code n’est pas le bon. Écrivez celui du dernier message reçu."),
    "CODE_EXPIRED": N_("Ce code n’est plus valable. Demandez-en un autre."),
    "CODE_ALREADY_USED": N_("Ce code a déjà servi. Demandez-en un autre."),
    "DECEASED_INDIVIDUAL": N_("Cette personne est connue comme décédée : son espace ne s’ouvre plus."),
    "PROFILE_ALREADY_EXISTS": N_("Vous avez déjà un compte. Connectez-vous."),
    "LEGAL_REPRESENTATIVE_REQUIRED": N_("L’espace d’un enfant est ouvert par son représentant légal."),
    "CONTACT_INVALID": N_("Cette adresse ou ce numéro n’est pas valable."),
    "MAIL_NOT_PROVEN": N_("Vérifiez d’abord une adresse électronique."),
    "LOGIN_FORMAT": N_(
        "Au moins 8 lettres sans accent ou chiffres ; seuls le point, le tiret et le tiret bas sont admis."
    ),
    "LOGIN_FORBIDDEN": N_("N’utilisez ni votre numéro de sécurité sociale ni un numéro de compte."),
    "LOGIN_ALREADY_EXISTS": N_("Cet identifiant est pris. Choisissez-en un autre."),
    "PASSWORD_TOO_SHORT": N_("Ce mot de passe est trop court."),
    "PASSWORD_TOO_LONG": N_("Il faut au plus 256 caractères."),
    "PASSWORD_CLASSES": N_(
        "Avec moins de 12 caractères, il faut une minuscule, une majuscule, un chiffre et un caractère spécial."
    ),
    "PASSWORD_COMMON": N_("Ce mot de passe est trop connu."),
    "PASSWORD_PERSONAL": N_("Il ne doit contenir ni votre nom, ni votre date de naissance, ni votre adresse."),
    "PASSWORD_REPETITIVE": N_("Il répète ou suit toujours les mêmes caractères."),
    "RECOVERY_WAIT": N_("Trop d’essais depuis votre réseau. Attendez un moment avant de recommencer."),
    "RESCUE_OVER": N_("Cette demande a déjà sa réponse, ou elle est trop ancienne."),
    "NOTICE_UNKNOWN": N_("Ce code n’est celui d’aucun courrier, ou son délai est passé."),
    "PASSWORD_WRONG": N_("Ce n’est pas votre mot de passe actuel."),
    "TOO_MANY_TRIES": N_("Trop d’essais. Attendez un moment avant de recommencer."),
    "FACTOR_MISSING": N_("Rien ne peut arriver de cette façon : réglez-la d’abord."),
    "LAST_FACTOR": N_("C’est votre seul moyen de recevoir un code : gardez-le."),
    "SECOND_FACTOR_SET": N_("Une deuxième vérification protège déjà ce compte."),
    "ALERT_OVER": N_("Vous avez déjà répondu à cette alerte, ou elle est trop ancienne."),
    "DEVICE_UNKNOWN": N_("Cet appareil est déjà oublié."),
    "TERMS_NOT_ACCEPTED": N_("Acceptez les conditions d’utilisation pour continuer."),
    "LETTERS_UNAVAILABLE": N_("Cette instance n’envoie pas encore de message de cette sorte."),
    "ACCOUNT_SUSPENDED": N_("Ce compte est suspendu. Le guichet peut vous dire pourquoi."),
    "SPACE_STEP_REFUSED": N_("L’état de cet espace ne le permet pas. Rechargez la page."),
    "OBJECTION_TOO_LATE": N_("L’espace est déjà ouvert. Vous pouvez le fermer."),
    "SPACE_HOLDER_DECEASED": N_("Un décès est enregistré pour cette personne."),
    "SPACE_PURGED": N_("Les données de cet espace ont été détruites."),
    "SPACE_NOT_FOUND": N_("Aucun espace n’existe pour cette personne."),
    "DEATH_DATE": N_("Ce jour n’est pas encore arrivé."),
    "POPULATION_COLUMNS": N_("La première ligne ne nomme pas toutes les colonnes attendues."),
    "POPULATION_ENCODING": N_("Le fichier n’est pas en UTF-8."),
    "POPULATION_EMPTY": N_("Le fichier ne contient aucune personne."),
    "NOTICE_DATE": N_("Les informations n’ont pas pu être envoyées après aujourd’hui."),
    "PROFILE_NOT_FOUND": N_("Personne n’a cette identité avec un espace activé. Vérifiez chaque case."),
    "SAME_INVITATION_ALREADY_EXISTS": N_("Une demande à cette personne attend déjà sa réponse."),
    "SAME_DELEGATION_ALREADY_EXISTS": N_("Cette personne vous aide déjà."),
    "ANOTHER_DELEGATION_ALREADY_EXISTS": N_("Cette personne agit déjà dans ce dossier à un autre titre."),
    "OUTGOING_CAREGIVING_DELEGATIONS_LIMIT_REACHED": N_(
        "Trois personnes au plus peuvent aider : il n’y a plus de place."
    ),
    "INCOMING_CAREGIVING_DELEGATIONS_LIMIT_REACHED": N_("Cette personne aide déjà cinq personnes, le plus possible."),
    "REPRESENTATIVES_LIMIT_REACHED": N_("Cet enfant a déjà deux représentants."),
    "SELF_INVITATION": N_("C’est votre propre identité."),
    "NOT_A_MINOR": N_("Cette personne est majeure."),
    "NOT_AN_ADULT": N_("Cette personne est mineure : rattachez-la à un parent."),
    "END_DATE": N_("Choisissez un jour après aujourd’hui."),
    "INVITATION_ENDED": N_("Cette demande a déjà reçu une réponse, ou n’est plus valable."),
    "VITALE_MEETING": N_("Ce code est faux, a déjà servi, ou date de plus de cinq minutes."),
    "VITALE_TOO_MANY": N_("Trop de codes en une minute. Attendez un peu."),
    "VITALE_CODE_FORM": N_("Le code secret a de 4 à 8 chiffres."),
    "VITALE_CODE_WEAK": N_("Ce code est parmi les premiers que l’on essaierait. Choisissez-en un autre."),
    "VITALE_CODE_WRONG": N_("Ce code n’est pas le bon. Après trois codes faux, la carte se bloque."),
    "VITALE_BLOCKED": N_("La carte est bloquée : faites vérifier de nouveau votre identité."),
    "VITALE_LOCKED": N_("Le temps est passé. Donnez de nouveau votre code secret."),
    "VITALE_SUSPENDED": N_("La carte est mise de côté : reprenez-la d’abord."),
    "VITALE_REVOKED": N_("Cette carte est terminée."),
    "VITALE_EXPIRED": N_("Cette carte est périmée. Demandez-en une autre."),
    "VITALE_STEP": N_("L’état de la carte ne le permet pas. Rechargez la page."),
    "VITALE_CARD_EXISTS": N_("Cette personne a déjà une carte, ou une demande en cours."),
    "VITALE_NO_CARD": N_("Il n’y a pas de carte ici. Demandez-en une."),
    "VITALE_NOT_HOLDER": N_("Seule la personne qui porte cette carte peut le faire."),
    "VITALE_TOO_YOUNG": N_("Avant 16 ans, la carte est portée par un représentant légal."),
    "VITALE_IDENTITY": N_("Votre identité doit d’abord avoir un INS, sans doute à lever. Le guichet peut vous aider."),
    "VITALE_DOCUMENT_KIND": N_("Ce document ne prouve pas une identité à lui seul."),
    "VITALE_DOCUMENT_NUMBER": N_("Ce numéro n’est pas celui d’un document : de 4 à 24 lettres et chiffres."),
    "VITALE_DOCUMENT_UNTIL": N_("Ce document n’est plus valable."),
    "VITALE_CHECK_INCOMPLETE": N_("Voyez le document et la personne avant d’accepter."),
    "VITALE_CHECK_OVER": N_("Cette demande a déjà une réponse, ou a été reprise."),
    "VITALE_KEY": N_("Ce navigateur ne sait pas garder une clé. Essayez-en un autre."),
    "VITALE_CHALLENGE": N_("Ce n’est pas le code d’un lecteur."),
    "VITALE_OWN_CARD": N_("Pour montrer la carte d’une autre personne, il vous faut la vôtre, active."),
    "VITALE_DELEGATE": N_("Vous montrez la carte d’une autre personne : vous ne pouvez pas ouvrir son dossier."),
    "VITALE_DELEGATION_END": N_("Choisissez un jour dans les 90 jours."),
    "VITALE_DELEGATION_SELF": N_("Cette personne porte déjà la carte."),
    "VITALE_DELEGATION_EXISTS": N_("Cette personne peut déjà montrer la carte, ou n’a pas encore répondu."),
    "VITALE_DELEGATION_ENDED": N_("Cette carte ne vous est pas, ou plus, confiée."),
    "CODE_REFUSED": N_("Ce code est faux, a déjà servi, ou date de plus d’un quart d’heure."),
    "NOT_A_MEDIATOR": N_("Seul un médiateur inscrit par le guichet peut aider avec un code."),
    "PLACE_MISSING": N_("Dites où cette personne aide."),
    "CLOCK_TOO_FAR": N_("L’horloge n’avance pas de plus de cinquante ans."),
    "PROFILE_CHOICE_UNKNOWN": N_("Choisissez une des réponses."),
    "PROFILE_NAME_MISSING": N_("Dites de quoi il s’agit."),
    "PROFILE_DATE_MISSING": N_("Donnez une date, une année suffit."),
    "PROFILE_DATE_UNREADABLE": N_("Écrivez une année, un mois ou un jour : 2019, 05/2019 ou 03/05/2019."),
    "PROFILE_DATE_BEFORE_BIRTH": N_("Cette date est avant la naissance."),
    "PROFILE_DATE_TO_COME": N_("Cette date n’est pas encore arrivée."),
    "PROFILE_DATES_CROSSED": N_("La fin est avant le début."),
    "PROFILE_TOO_LONG": N_("C’est trop long. Écrivez plus court."),
    "PROFILE_FIGURE_UNREADABLE": N_("Écrivez un nombre."),
    "PROFILE_FIGURE_ODD": N_("Cette valeur n’est pas possible. Vérifiez le nombre et l’unité."),
    "PROFILE_MEASURE_UNKNOWN": N_("Choisissez une mesure."),
    "PROFILE_ONE_TRUSTED": N_("Vous avez déjà une personne de confiance. Changez-la, ou retirez-lui ce rôle."),
    "PROFILE_ONE_ROLE": N_("Vous avez déjà quelqu’un pour ce rôle."),
    "PROFILE_LINK_UNKNOWN": N_("Une des lignes choisies n’est plus là, ou elle est cachée. Choisissez de nouveau."),
    "BOX_CODE_UNREADABLE": N_(
        "Ce n’est pas le code d’une boîte de médicament. Reprenez la photo de près, bien à plat, ou recopiez le code."
    ),
    "PROFILE_NOT_EMPTY": N_("Cette rubrique n’est pas vide."),
    "PROFILE_CODE_EMPTY": N_("Choisissez au moins une rubrique."),
    "PROFILE_CODE_TOO_OFTEN": N_("Ce code a été ouvert trop souvent. Attendez un peu."),
    "PROFILE_CONFIRMED": N_("Un soignant a confirmé cette vaccination : elle ne se change plus ici."),
    "PDF_UNAVAILABLE": N_("Le document ne peut pas être fabriqué sur ce serveur."),
    "ACCESS_TOO_MANY_LOOKUPS": N_("Vous avez cherché beaucoup de patients en peu de temps. Attendez un peu."),
}


class Explanation(Struct, frozen=True):
    """A refusal as a page says it."""

    status: int
    title: str
    text: str


def explain(refusal: Refusal) -> Explanation:
    """The words for a refusal, in the current language."""
    title, text = _BY_KIND[refusal.kind]
    return Explanation(STATUS[refusal.kind], gettext(title), gettext(_BY_CODE.get(refusal.code, text)))


def has_words(code: str) -> bool:
    """Whether this code has its own sentence."""
    return code in _BY_CODE
