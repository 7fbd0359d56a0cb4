//! Notes, against the vectors of Go's tests.

use ed25519_dalek::{Signer as _, SigningKey};
use proptest::prelude::*;

use super::key::cosigned;
use super::*;

const TEXT: &str =
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const PETER: &str =
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
const ENOCH: &str =
    "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n";

fn peter() -> VerifierKey {
    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW".parse().unwrap()
}

fn enoch() -> VerifierKey {
    "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop".parse().unwrap()
}

fn names(verified: &[VerifiedSignature]) -> Vec<&str> {
    verified.iter().map(|signature| signature.name.as_str()).collect()
}

#[test]
fn the_note_of_gos_documentation_verifies_for_each_key_that_is_known() {
    let written = format!("{TEXT}\n{PETER}{ENOCH}");
    let note = SignedNote::parse(&written).unwrap();
    assert_eq!((note.text(), note.to_string()), (TEXT, written));
    assert_eq!(names(&note.verify(&[peter()]).unwrap()), ["PeterNeumann"]);
    assert_eq!(names(&note.verify(&[enoch(), peter(), enoch()]).unwrap()), ["PeterNeumann", "EnochRoot"]);
    assert_eq!(note.verify(&[]), Err(NoteError::Unsigned));
}

#[test]
fn signing_gives_the_bytes_of_gos_signer() {
    let secret = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    let key = SignerKey::from_secret_text(secret).unwrap();
    let note = SignedNote::sign(TEXT.to_owned(), &key).unwrap();
    assert_eq!(note.to_string(), format!("{TEXT}\n{PETER}"));
    assert!(SignedNote::sign("no newline".to_owned(), &key).is_err());
    assert!(SignedNote::sign("\u{1}\n".to_owned(), &key).is_err());
}

#[test]
fn a_bad_signature_of_a_known_key_is_an_error_and_one_of_an_unknown_key_is_not() {
    let changed = format!("{TEXT}\n{PETER}{ENOCH}").replace("cryptography", "philosophy");
    let invalid = SignedNote::parse(&changed).unwrap().verify(&[peter()]);
    assert!(matches!(invalid, Err(NoteError::Invalid { name, .. }) if name.as_str() == "PeterNeumann"));
    let longer = format!("{}ABCD{}", &ENOCH[..60], &ENOCH[60..]);
    let note = SignedNote::parse(&format!("{TEXT}\n{PETER}{longer}")).unwrap();
    assert_eq!(names(&note.verify(&[peter()]).unwrap()), ["PeterNeumann"]);
    assert!(matches!(note.verify(&[peter(), enoch()]), Err(NoteError::Invalid { .. })));
}

#[test]
fn a_repeated_signature_counts_once_and_each_of_them_has_to_be_valid() {
    let note = SignedNote::parse(&format!("{TEXT}\n{PETER}{PETER}")).unwrap();
    assert_eq!(names(&note.verify(&[peter()]).unwrap()), ["PeterNeumann"]);
    let spoilt = PETER.replace("ZJkuBS", "ZJkuBT");
    let note = SignedNote::parse(&format!("{TEXT}\n{PETER}{spoilt}")).unwrap();
    assert!(matches!(note.verify(&[peter()]), Err(NoteError::Invalid { .. })));
}

#[test]
fn a_text_of_another_form_is_no_note() {
    let good = format!("{TEXT}\n{PETER}");
    for bad in [
        String::new(),
        TEXT.to_owned(),
        format!("{TEXT}\n"),
        good.trim_end().to_owned(),
        format!("\u{1}{good}"),
        good.replace("\nthen", "\r\nthen"),
        format!("{TEXT}\n{}", PETER.replace("PeterNeumann", "Bad Name")),
        format!("{TEXT}\n{}", PETER.replace("PeterNeumann", "Bad+Name")),
        format!("{TEXT}\n{}", PETER.replace('—', "-")),
        format!("{TEXT}\n{}", PETER.replace("AM=", "AM")),
        format!("{TEXT}\n— PeterNeumann x08gow==\n"),
        format!("{good}Unexpected line.\n"),
        format!("{good}\n"),
        format!("{TEXT}\n{}", PETER.repeat(101)),
        format!("{}{good}", "x\n".repeat(500_000)),
    ] {
        let shown: String = bad.chars().take(300).collect();
        assert!(matches!(SignedNote::parse(&bad), Err(NoteError::Malformed(_))), "{shown}");
    }
    assert!(SignedNote::parse(&format!("{TEXT}\n{}", PETER.repeat(100))).is_ok());
    // The last empty line separates: the text may hold others.
    assert_eq!(SignedNote::parse(&format!("a\n\nb\n\n{PETER}")).unwrap().text(), "a\n\nb\n");
}

#[test]
fn a_witness_cosigns_the_text_with_its_time() {
    let secret = SigningKey::from_bytes(&[9; 32]);
    let name = KeyName::parse("witness.example/w").unwrap();
    let witness = VerifierKey::new(name, KeyKind::Cosignature, secret.verifying_key());
    assert_eq!(witness.to_string().parse::<VerifierKey>().as_ref(), Ok(&witness));
    let line = |time: u64, signed_time: u64| {
        let mut bytes = time.to_be_bytes().to_vec();
        bytes.extend_from_slice(&secret.sign(cosigned(signed_time, TEXT).as_bytes()).to_bytes());
        NoteSignature { name: witness.name().clone(), id: witness.id(), signature: bytes }.to_string() + "\n"
    };
    let mut note = SignedNote::parse(&format!("{TEXT}\n{PETER}")).unwrap();
    note.add_signature_line(&line(1_679_315_147, 1_679_315_147)).unwrap();
    let verified = SignedNote::parse(&note.to_string()).unwrap().verify(&[peter(), witness.clone()]).unwrap();
    assert_eq!(verified[1].time, Some(1_679_315_147));
    assert_eq!((verified[0].kind, verified[1].kind), (KeyKind::Ed25519, KeyKind::Cosignature));
    // Another time than the signed one, a time that is none, and a signature that is too short.
    for bad in [line(1, 2), line(1 << 63, 1 << 63)] {
        let note = SignedNote::parse(&format!("{TEXT}\n{PETER}{bad}")).unwrap();
        assert!(matches!(note.verify(&[peter(), witness.clone()]), Err(NoteError::Invalid { .. })));
    }
    // The same key as one that signs texts has another id, so that neither signature passes for the other.
    let plain = VerifierKey::new(witness.name().clone(), KeyKind::Ed25519, secret.verifying_key());
    assert_ne!(plain.id(), witness.id());
}

proptest! {
    #[test]
    fn what_is_signed_verifies_and_a_changed_text_does_not(text in "[a-zé —]{0,20}\n(\n?[a-z]{1,5}\n){0,3}", seed in any::<[u8; 32]>()) {
        let key = SignerKey::generate(KeyName::parse("log.example").unwrap(), &seed);
        let note = SignedNote::sign(text, &key).unwrap();
        let read = SignedNote::parse(&note.to_string()).unwrap();
        prop_assert_eq!(&read, &note);
        prop_assert!(read.verify(std::slice::from_ref(key.verifier())).is_ok());
        let other = SignedNote::parse(&format!("x{note}")).unwrap();
        let invalid = matches!(other.verify(std::slice::from_ref(key.verifier())), Err(NoteError::Invalid { .. }));
        prop_assert!(invalid);
    }

    #[test]
    fn no_text_makes_it_panic(text in any::<String>(), line in "(— )?[a-z +]{0,9}[A-Za-z0-9+/=]{0,100}", ends in "\n{0,3}") {
        let _ = SignedNote::parse(&text);
        if let Ok(note) = SignedNote::parse(&format!("{text}{ends}{line}{ends}")) {
            prop_assert!(note.verify(&[peter()]).is_err());
        }
    }
}
