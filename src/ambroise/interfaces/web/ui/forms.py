"""Forms: WTForms fields, our words, our errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from starlette.datastructures import FormData, UploadFile
from wtforms import Form as WTForm
from wtforms import SelectMultipleField
from wtforms.validators import ValidationError
from wtforms.widgets import CheckboxInput

from ambroise.interfaces.web.ui.errors import explain
from ambroise.interfaces.web.ui.i18n import lazy
from ambroise.kernel.errors import Refusal


class Fields:
    """What WTForms reads: the values of a form by name."""

    def __init__(self, values: Mapping[str, Sequence[Any]]) -> None:
        self._values = values

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def getlist(self, name: str) -> list[Any]:
        return list(self._values.get(name, ()))

    @classmethod
    def sent(cls, form: FormData) -> Fields:
        return cls({name: form.getlist(name) for name in form})


class Form(WTForm):
    """A form of ours. `problems` are its errors, in the order of its fields."""

    def __init__(self, fields: Fields | None = None, **values: Any) -> None:
        super().__init__(fields, **values)
        self.general: list[str] = []

    @classmethod
    def of(cls, form: FormData, **values: Any) -> Any:
        """The form as it was sent."""
        return cls(Fields.sent(form), **values)

    @classmethod
    def drafted(cls, draft: Mapping[str, Sequence[str]], **values: Any) -> Any:
        """An empty form, or what was kept of one."""
        return cls(Fields(draft) if draft else None, **values)

    def refuse(self, refusal: Refusal, field: str | None = None) -> None:
        """Show a refusal of a use case beside its field, or on top of the page."""
        words = explain(refusal).text
        name = field or refusal.element
        if name and name in self:
            self[name].errors = [*self[name].errors, words]
        else:
            self.general.append(words)

    @property
    def problems(self) -> list[tuple[str | None, str]]:
        """Every error with the id of its field, for the summary on top of the page."""
        found: list[tuple[str | None, str]] = [(None, words) for words in self.general]
        for field in self:
            target = f"{field.id}-0" if field.type in ("RadioField", "Ticks") else field.id
            found += [(target, str(words)) for words in field.errors]
        return found


class Ticks(SelectMultipleField):
    """Several choices among few, as boxes to tick."""

    option_widget = CheckboxInput()

    def __iter__(self) -> Iterator[Any]:
        """The boxes. That one of them must be ticked does not ask the browser to insist on each."""
        for option in super().__iter__():
            option.flags.required = False
            yield option


class Required:
    """Something must be written or chosen; the message says what."""

    field_flags: Mapping[str, Any] = {"required": True}

    def __init__(self, message: str) -> None:
        self._message = message

    def __call__(self, form: WTForm, field: Any) -> None:
        data = field.data
        if data is None or (isinstance(data, str) and not data.strip()) or data == []:
            raise ValidationError(str(lazy(self._message)))


class HasFiles:
    """One file or several must be chosen, each of at most this many bytes."""

    field_flags: Mapping[str, Any] = {"required": True, "multiple": True}

    def __init__(self, message: str, too_large: str, most: int) -> None:
        self._message, self._too_large, self._most = message, too_large, most

    def __call__(self, form: WTForm, field: Any) -> None:
        chosen = [one for one in field.data or () if isinstance(one, UploadFile) and one.filename]
        if not chosen:
            raise ValidationError(str(lazy(self._message)))
        if any((one.size or 0) > self._most for one in chosen):
            raise ValidationError(str(lazy(self._too_large)))
        field.data = chosen


class HasFile:
    """A file must be chosen, of at most this many bytes."""

    field_flags: Mapping[str, Any] = {"required": True}

    def __init__(self, message: str, too_large: str, most: int) -> None:
        self._message, self._too_large, self._most = message, too_large, most

    def __call__(self, form: WTForm, field: Any) -> None:
        data = field.data
        if not isinstance(data, UploadFile) or not data.filename:
            raise ValidationError(str(lazy(self._message)))
        if (data.size or 0) > self._most:
            raise ValidationError(str(lazy(self._too_large)))
