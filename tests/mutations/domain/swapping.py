"""Puts a mutant in the place of the original inside a running process, without touching a file.

A function's code is swapped, not the function: whoever holds the function (a class, a module that imported it by name,
a property, a cache around it) calls the mutant from then on. Only ever done in a process that is about to end.
"""

import functools
import importlib
import inspect
from types import CodeType, FunctionType, ModuleType
from typing import Any

from tests.mutations.domain.mutants import Mutant


class NotAMutantError(ValueError):
    """The change cannot be tried: it is no Python, or it compiles to what was there."""


def apply(mutant: Mutant) -> None:
    """Put the mutant in place for the rest of this process's life.

    Raises:
        NotAMutantError: the change is no Python, or the compiled function is the one that was there.

    """
    module = importlib.import_module(_imported_as(mutant.module))
    compiled = _compiled(mutant, str(module.__file__))
    originals = _functions(module, mutant.function)
    codes = sorted(_codes(compiled, mutant.function), key=lambda code: code.co_firstlineno)
    if not originals or len(originals) != len(codes):
        raise NotAMutantError(f"{mutant.function} of {mutant.module} is not to be found once in module and text")
    changed = False
    for function, code in zip(originals, codes, strict=True):
        changed |= _does(function.__code__) != _does(code)
        function.__code__ = code
    if mutant.in_default:
        changed |= _swap_defaults(mutant, compiled, originals)
    if not changed:
        raise NotAMutantError(f"{mutant.name} compiles to what was there")
    _forget_answers(module)


def _imported_as(module: str) -> str:
    """Give the name under which a module is imported: under a package's ``__init__`` a stranger would be made."""
    return f"consumer.domain.{module.replace('/', '.')}".removesuffix(".__init__")


def _compiled(mutant: Mutant, path: str) -> CodeType:
    try:
        return compile(mutant.text, path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as problem:
        raise NotAMutantError(f"{mutant.name} is no Python: {problem}") from problem


def _does(code: CodeType) -> tuple[object, ...]:
    """Give what a code does, without where it stands: a bracket more moves columns and nothing else."""
    constants = [_does(const) if isinstance(const, CodeType) else repr(const) for const in code.co_consts]
    return code.co_code, code.co_names, code.co_varnames, code.co_freevars, tuple(constants)


def _swap_defaults(mutant: Mutant, compiled: CodeType, originals: list[FunctionType]) -> bool:
    # Run anew, the module gives the defaults; its classes are strangers, so that nothing else of it is taken.
    anew = ModuleType("consumer.domain." + mutant.module.replace("/", "."))
    exec(compiled, vars(anew))  # noqa: S102 the text is our own module with one change
    changed = False
    for function, other in zip(originals, _functions(anew, mutant.function), strict=True):
        changed |= (function.__defaults__, function.__kwdefaults__) != (other.__defaults__, other.__kwdefaults__)
        function.__defaults__, function.__kwdefaults__ = other.__defaults__, other.__kwdefaults__
    return changed


def _codes(code: CodeType, qualified: str) -> list[CodeType]:
    """Give the code objects of that qualified name: more than one for a property with a setter."""
    inner = [const for const in code.co_consts if isinstance(const, CodeType)]
    found = [const for const in inner if const.co_qualname == qualified]
    for const in inner:
        if qualified.startswith(const.co_qualname + "."):
            found += _codes(const, qualified)
    return found


def _functions(module: ModuleType, qualified: str) -> list[FunctionType]:
    """Give the live functions of that qualified name, in the order of the text."""
    *classes, last = qualified.split(".")
    holders: list[Any] = [module]
    for name in classes:
        holders = [vars(holder)[name] for holder in holders if name in vars(holder)]
    members = [vars(holder).get(last) for holder in holders]
    found = [function for member in members for function in _plain(member)]
    return sorted(found, key=lambda function: function.__code__.co_firstlineno)


def _plain(member: Any) -> list[FunctionType]:
    """Take what wraps a function off it: property, classmethod, staticmethod, a cache."""
    if isinstance(member, property):
        return [part for part in (member.fget, member.fset) if isinstance(part, FunctionType)]
    if isinstance(member, classmethod | staticmethod):
        member = member.__func__
    if isinstance(member, functools.cached_property):
        member = member.func
    member = inspect.unwrap(member) if callable(member) else member
    return [member] if isinstance(member, FunctionType) else []


def _forget_answers(module: ModuleType) -> None:
    """Empty the caches of the module's functions: they answered before the change."""
    for member in vars(module).values():
        clear = getattr(member, "cache_clear", None)
        if callable(clear):
            clear()
